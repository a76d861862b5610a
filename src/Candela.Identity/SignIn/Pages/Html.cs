using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace Candela.Identity.SignIn.Pages;

/// <summary>HTML whose inserted texts are escaped, unless they are HTML themselves.</summary>
public sealed class Html
{
    private readonly string _text;

    private Html(string text) => _text = text;

    /// <summary>Nothing.</summary>
    public static Html Empty { get; } = new("");

    /// <summary>HTML of an interpolated string: its literal parts count as HTML, what is inserted as text.</summary>
    public static Html Of(Writer writer) => new(writer.Text);

    /// <summary>One after the other.</summary>
    public static Html Join(IEnumerable<Html> parts) => new(string.Concat(parts.Select(part => part._text)));

    /// <summary>A hidden field.</summary>
    public static Html Hidden(string name, string value) => Of($"""<input type="hidden" name="{name}" value="{value}">""");

    /// <inheritdoc/>
    public override string ToString() => _text;

    /// <summary>Collects an interpolated string.</summary>
    [InterpolatedStringHandler]
    public sealed class Writer
    {
        private readonly StringBuilder _text;

        /// <summary>For the compiler.</summary>
        public Writer(int literalLength, int formattedCount) => _text = new StringBuilder(literalLength + 32 * formattedCount);

        /// <summary>A part of the literal.</summary>
        public void AppendLiteral(string literal) => _text.Append(literal);

        /// <summary>A text: escaped, in attributes with quotes, too.</summary>
        public void AppendFormatted(string? text) => _text.Append(HtmlEncoder.Default.Encode(text ?? ""));

        /// <summary>HTML.</summary>
        public void AppendFormatted(Html html) => _text.Append(html._text);

        internal string Text => _text.ToString();
    }
}
