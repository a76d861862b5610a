using System.Text;

namespace Candela.Cli.Output;

/// <summary>Columns for people: headings in capitals, each column as wide as its widest cell, three spaces between.</summary>
internal sealed class Table(params string[] headings)
{
    private const int GapCharacters = 3;

    private readonly List<string[]> rows = [headings];

    public void Add(params string[] cells) => rows.Add(cells);

    public override string ToString()
    {
        var widths = new int[headings.Length];
        foreach (string[] row in rows)
        {
            for (int column = 0; column < row.Length; column++)
                widths[column] = Math.Max(widths[column], row[column].Length);
        }
        var text = new StringBuilder();
        foreach (string[] row in rows)
        {
            for (int column = 0; column < row.Length; column++)
            {
                text.Append(row[column]);
                if (column < row.Length - 1)
                    text.Append(' ', widths[column] - row[column].Length + GapCharacters);
            }
            text.Append('\n');
        }
        return text.ToString();
    }
}
