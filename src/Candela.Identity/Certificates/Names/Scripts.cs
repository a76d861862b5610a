using System.Globalization;
using System.Text;

namespace Candela.Identity.Certificates.Names;

/// <summary>
/// Says whether an international label is written in one script (Unicode TR 39, section 5.2, "highly restrictive", for the scripts listed
/// here) and does not consist of look-alikes of Latin letters alone. Other scripts are refused: who needs one adds its block.
/// </summary>
internal static class Scripts
{
    private enum Script
    {
        None,
        Common,
        Latin,
        Greek,
        Cyrillic,
        Armenian,
        Hebrew,
        Arabic,
        Devanagari,
        Bengali,
        Tamil,
        Thai,
        Georgian,
        Han,
        Kana,
        Hangul,
    }

    /// <summary>Lower-case letters that most fonts draw as Latin ones: Cyrillic, then Greek and Armenian.</summary>
    private static readonly HashSet<int> LatinLookalikes = [.. "аԁеһіјӏорԛѕԝхускгтпвмнѵ".EnumerateRunes().Concat("αγικνορτυωχօոսցզհյ".EnumerateRunes()).Select(r => r.Value)];

    public static bool IsHonest(string label)
    {
        var scripts = new HashSet<Script>();
        var allLookalike = true;
        foreach (var rune in label.EnumerateRunes())
        {
            if (!IsPermitted(rune))
                return false;
            var script = Of(rune);
            if (script == Script.Common)
                continue;
            scripts.Add(script);
            allLookalike &= LatinLookalikes.Contains(rune.Value);
        }

        if (scripts.Contains(Script.None))
            return false;
        var single = scripts.Count == 1 || scripts.IsSubsetOf([Script.Latin, Script.Han, Script.Kana]) || scripts.IsSubsetOf([Script.Latin, Script.Han, Script.Hangul]);
        return single && !allLookalike;
    }

    private static bool IsPermitted(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.LowercaseLetter or UnicodeCategory.OtherLetter or UnicodeCategory.ModifierLetter => true,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber => true,
        _ => rune.Value == '-',
    };

    private static Script Of(Rune rune) => rune.Value switch
    {
        '-' or (>= '0' and <= '9') => Script.Common,
        (>= 'a' and <= 'z') or (>= 0xdf and <= 0x24f) => Script.Latin,
        >= 0x370 and <= 0x3ff => Script.Greek,
        >= 0x400 and <= 0x52f => Script.Cyrillic,
        >= 0x530 and <= 0x58f => Script.Armenian,
        >= 0x5d0 and <= 0x5ea => Script.Hebrew,
        >= 0x620 and <= 0x6ff => Script.Arabic,
        >= 0x900 and <= 0x97f => Script.Devanagari,
        >= 0x980 and <= 0x9ff => Script.Bengali,
        >= 0xb80 and <= 0xbff => Script.Tamil,
        >= 0xe01 and <= 0xe4e => Script.Thai,
        >= 0x10d0 and <= 0x10ff => Script.Georgian,
        (>= 0x3041 and <= 0x3096) or (>= 0x30a1 and <= 0x30fc) => Script.Kana,
        0x3005 or (>= 0x3400 and <= 0x4dbf) or (>= 0x4e00 and <= 0x9fff) or (>= 0x20000 and <= 0x323af) => Script.Han,
        >= 0xac00 and <= 0xd7a3 => Script.Hangul,
        _ => Script.None,
    };
}
