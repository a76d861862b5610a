namespace Candela.Identity.SignIn.Pages;

/// <summary>A link on the sign-in page.</summary>
/// <param name="Label">What it says.</param>
/// <param name="Path">Path of its page, which is given where to lead back to in the query's <c>to</c>, and <c>again=1</c> if who signed in before does not count.</param>
public sealed record SignInLink(string Label, string Path);
