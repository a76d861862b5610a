using System.Text;
using Candela.Build.Dockerfiles;
using Candela.Model;

namespace Candela.Build.Tests;

public sealed class DockerfileParserTests
{
    [Fact]
    public void Comments_continued_lines_and_flags()
    {
        Dockerfile file = Parse("# syntax=docker/dockerfile:1\n\n# a comment\nfrom  base  AS one\nRUN a && \\\n  # inside\n\n  b \\\n  c\nCOPY --from=one --chown=1:2 a b /c/\n");
        Assert.Equal(["FROM", "RUN", "COPY"], file.Instructions.Select(static one => one.Keyword));
        Assert.Equal("base  AS one", file.Instructions[0].Arguments);
        Assert.Equal("a &&   b   c", file.Instructions[1].Arguments);
        Assert.Equal((4, 5, 10), (file.Instructions[0].Line, file.Instructions[1].Line, file.Instructions[2].Line));
        Assert.Equal(("one", "1:2", "a b /c/"), (file.Instructions[2].Flag("from"), file.Instructions[2].Flag("chown"), file.Instructions[2].Arguments));
    }

    [Fact]
    public void Another_escape_character_and_lines_of_windows()
    {
        Dockerfile file = Parse("# escape=`\r\nFROM a\r\nRUN x `\r\n y\\\r\n");
        Assert.Equal('`', file.Escape);
        Assert.Equal("x  y\\", file.Instructions[1].Arguments);
    }

    [Fact]
    public void Heredocs_are_read_to_their_delimiters()
    {
        Dockerfile file = Parse("FROM a\nRUN <<EOF\n# not a comment\n\necho $x\nEOF\nCOPY <<-\"A\" <<B /d/\n\tone\nA\ntwo\nB\nUSER u\n");
        Assert.Equal("# not a comment\n\necho $x\n", Assert.Single(file.Instructions[1].Heredocs).Content);
        Assert.Equal([new Heredoc("A", "one\n", Expands: false), new Heredoc("B", "two\n", Expands: true)], file.Instructions[2].Heredocs);
        Assert.Equal("USER", file.Instructions[3].Keyword);
    }

    [Theory]
    [InlineData("", "file with no instructions")]
    [InlineData("# just a comment", "file with no instructions")]
    [InlineData("FROM a\nFOO b", "dockerfile parse error line 2: unknown instruction: FOO")]
    [InlineData("FROM", "dockerfile parse error line 1: FROM requires at least one argument")]
    [InlineData("FROM a\nRUN <<EOF\nx", "dockerfile parse error line 2: unterminated heredoc EOF")]
    [InlineData("# escape=x\nFROM a", "dockerfile parse error line 1: invalid ESCAPE 'x'. Must be ` or \\")]
    public void What_is_no_Dockerfile_is_refused_with_its_line(string text, string message)
    {
        CandelaException e = Assert.Throws<CandelaException>(() => Parse(text));
        Assert.Equal((ErrorCode.InvalidArgument, message), (e.Code, e.Message));
    }

    [Theory]
    [InlineData("""["a", "b c"]""", "a|b c")]
    [InlineData("[]", "")]
    [InlineData("""["a", 1]""", null)]
    [InlineData("['a']", null)]
    [InlineData("echo [x]", null)]
    public void The_list_form_is_JSON(string text, string? words) =>
        Assert.Equal(words, Words.ParseList(text) is { } list ? string.Join('|', list) : null);

    [Fact]
    public void Random_bytes_and_damaged_files_are_read_or_refused()
    {
        const int seed = 20_240_117;
        Random random = new(seed);
        byte[] whole = Encoding.UTF8.GetBytes("# escape=\\\nARG A=1\nFROM base AS one\nENV a=${b:-c} \"d=e f\"\nRUN <<EOF\nx\nEOF\nCOPY --chown=a:b [\"x\", \"y\"]\nHEALTHCHECK --interval=1s CMD [\"a\"]\nONBUILD RUN a\n");
        for (int i = 0; i < 5000; i++)
        {
            byte[] bytes = [.. whole];
            for (int changes = random.Next(1, 12); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : whole[random.Next(whole.Length)];
            try
            {
                Dockerfile file = DockerfileParser.Parse(bytes.AsSpan(0, random.Next(bytes.Length)));
                Substitution substitution = new(static name => name == "b" ? null : name, file.Escape);
                foreach (Instruction instruction in file.Instructions)
                {
                    substitution.Expand(instruction.Arguments);
                    Words.Pairs(instruction, file.Escape);
                }
            }
            catch (CandelaException e)
            {
                Assert.Equal(ErrorCode.InvalidArgument, e.Code);
            }
        }
    }

    private static Dockerfile Parse(string text) => DockerfileParser.Parse(Encoding.UTF8.GetBytes(text));
}
