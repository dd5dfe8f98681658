//! Texts with a structure, taken apart and put together; pure.

/// The parts of a file's path, on Windows or elsewhere, in the order in which they are shown.
pub(super) fn path(text: &str) -> Vec<(&'static str, String)> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => ("", text),
    };
    // A URL of a file has one more slash before a drive.
    let rest = if scheme.is_empty() {
        rest
    } else {
        rest.strip_prefix('/').filter(|rest| has_drive(rest)).unwrap_or(rest)
    };
    let root = if has_drive(rest) { &rest[..2] } else { "" };
    let (directory, name) = match rest.rfind(['/', '\\']) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => ("", &rest[root.len()..]),
    };
    let (file, stream) = name.split_once(':').unwrap_or((name, ""));
    let directory_name = directory.rsplit(['/', '\\']).next().unwrap_or("");
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    [
        ("Scheme", scheme),
        ("RootPath", root),
        ("DirectoryPath", directory),
        ("DirectoryName", directory_name),
        ("Filename", file),
        ("Extension", extension),
        ("AlternateDataStreamName", stream),
    ]
    .map(|(name, part)| (name, part.to_owned()))
    .into()
}

fn has_drive(path: &str) -> bool {
    path.starts_with(|first: char| first.is_ascii_alphabetic()) && path[1..].starts_with(':')
}

/// The parts of a URL, the fragment last, and its query.
pub(super) fn url(text: &str) -> (Vec<(&'static str, String)>, &str) {
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = match rest.split_once("://") {
        Some((scheme, rest)) => (scheme, Some(rest)),
        None => ("", None),
    };
    let (authority, path) = match rest {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", text.split(['?', '#']).next().unwrap_or_default()),
    };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    // An IPv6 address stands in brackets and has colons of its own.
    let port_at = host.rfind(':').filter(|at| !host[*at..].contains(']'));
    let (host, port) = port_at.map_or((host, ""), |at| (&host[..at], &host[at + 1..]));
    let parts = [
        ("Scheme", scheme),
        ("Host", host),
        ("Port", port),
        ("Path", path),
        ("Username", user),
        ("Password", password),
        ("Fragment", fragment),
    ];
    (parts.map(|(name, part)| (name, part.to_owned())).into(), query)
}

/// The arguments of a command line by the rules of Windows (`CommandLineToArgvW`).
pub(super) fn command_line(text: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t']);
    // The program's name knows no escapes: it ends at its quote, or at a blank.
    if !rest.is_empty() {
        let (program, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_at(rest.find([' ', '\t']).unwrap_or(rest.len())),
        };
        arguments.push(program.to_owned());
        rest = behind;
    }
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            return arguments;
        }
        let (argument, length) = one_argument(rest);
        arguments.push(argument);
        rest = &rest[length..];
    }
}

/// The first argument of a text, and how many bytes it takes.
fn one_argument(text: &str) -> (String, usize) {
    let mut argument = String::new();
    let (mut backslashes, mut is_quoted) = (0, false);
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => backslashes += 1,
            '"' => {
                argument.extend(std::iter::repeat_n('\\', backslashes / 2));
                if backslashes % 2 == 1 {
                    argument.push('"');
                } else if is_quoted && characters.peek().is_some_and(|(_, next)| *next == '"') {
                    argument.push('"');
                    characters.next();
                } else {
                    is_quoted = !is_quoted;
                }
                backslashes = 0;
            }
            ' ' | '\t' if !is_quoted => {
                argument.extend(std::iter::repeat_n('\\', backslashes));
                return (argument, at);
            }
            other => {
                argument.extend(std::iter::repeat_n('\\', backslashes));
                backslashes = 0;
                argument.push(other);
            }
        }
    }
    argument.extend(std::iter::repeat_n('\\', backslashes));
    (argument, text.len())
}

/// The fields of the first record of comma-separated values (RFC 4180).
pub(super) fn first_record(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let Some(field) = fields.last_mut() else { break };
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' if is_quoted || field.is_empty() => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            '\n' if !is_quoted => break,
            '\r' if !is_quoted && characters.peek() == Some(&'\n') => break,
            other => field.push(other),
        }
    }
    fields
}

/// Replaces each text of the pairs by its other one, the first pair first everywhere. What a pair has matched is not
/// looked at again; a pair without a second text keeps it as it is.
pub(super) fn replaced(text: &str, pairs: &[(String, Option<String>)]) -> String {
    let mut pieces: Vec<(String, bool)> = vec![(text.to_owned(), false)];
    for (what, with) in pairs.iter().filter(|(what, _)| !what.is_empty()) {
        let mut after = Vec::with_capacity(pieces.len());
        for (piece, is_done) in pieces {
            if is_done {
                after.push((piece, true));
                continue;
            }
            for (position, part) in piece.split(what.as_str()).enumerate() {
                if position > 0 {
                    after.push((with.as_ref().unwrap_or(what).clone(), true));
                }
                after.push((part.to_owned(), false));
            }
        }
        pieces = after;
    }
    pieces.into_iter().map(|(piece, _)| piece).collect()
}

/// How often the first of each pair is found in a text, and at most how long the text is with the second in its
/// place, in bytes.
pub(super) fn replaced_size(text: &str, pairs: &[(String, Option<String>)]) -> (usize, usize) {
    pairs.iter().filter(|(what, _)| !what.is_empty()).fold((0, text.len()), |(found, bytes), (what, with)| {
        let count = text.matches(what.as_str()).count();
        let grows = with.as_ref().map_or(0, |with| with.len().saturating_sub(what.len()));
        (found.saturating_add(count), bytes.saturating_add(count.saturating_mul(grows)))
    })
}

/// A number of bytes with so many digits behind the point, in the given unit or the largest that leaves a whole number.
pub(super) fn bytes(size: f64, precision: i64, unit: &str) -> String {
    const UNITS: [&str; 7] = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"];
    let power = match UNITS.iter().position(|known| known.eq_ignore_ascii_case(unit)) {
        Some(power) => power,
        None => (1..UNITS.len()).take_while(|power| size.abs() >= 1024_f64.powi(*power as i32)).count(),
    };
    let digits = usize::try_from(precision.clamp(0, 15)).unwrap_or_default();
    let unit_size = 1024_f64.powi(power as i32);
    let factor = 10_f64.powi(digits as i32);
    let rounded = (size / unit_size * factor).round() / factor;
    // Zeros at the end are not written.
    let text = format!("{rounded:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {}", UNITS[power])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_has_the_parts_that_the_documentation_shows() {
        let parts = |text: &str| path(text).into_iter().map(|(_, part)| part).collect::<Vec<_>>().join("|");
        assert_eq!(parts(r"C:\temp\file.txt"), r"|C:|C:\temp|temp|file.txt|txt|");
        assert_eq!(parts(r"temp\file.txt"), r"||temp|temp|file.txt|txt|");
        assert_eq!(parts("file://C:/temp/file.txt:some.exe"), "file|C:|C:/temp|temp|file.txt|txt|some.exe");
        assert_eq!(parts(r"\\shared\users\temp\file.txt.gz"), r"||\\shared\users\temp|temp|file.txt.gz|gz|");
        assert_eq!(parts("/usr/lib/temp/file.txt"), "||/usr/lib/temp|temp|file.txt|txt|");
    }

    #[test]
    fn a_url_has_all_of_its_parts() {
        let (parts, query) = url("scheme://username:password@host:1234/this/is/a/path?k1=v1&k2=v2#fragment");
        let parts: Vec<String> = parts.into_iter().map(|(_, part)| part).collect();
        assert_eq!(parts.join("|"), "scheme|host|1234|/this/is/a/path|username|password|fragment");
        assert_eq!(query, "k1=v1&k2=v2");
    }

    #[test]
    fn a_command_line_is_split_as_on_windows() {
        assert_eq!(command_line(r#"echo "hello world!""#), ["echo", "hello world!"]);
        assert_eq!(
            command_line(r#""C:\Program Files\x.exe" a\\b "c d\\" e\"f"#),
            [r"C:\Program Files\x.exe", r"a\\b", r"c d\", "e\"f"]
        );
        assert_eq!(command_line("  "), Vec::<String>::new());
    }

    #[test]
    fn a_record_ends_with_its_line_and_quotes_are_doubled_in_quotes() {
        assert_eq!(
            first_record("aa,\"b,b,b\",cc,\"Escaping quotes: \"\"Title\"\"\",\"line1\nline2\"\nx"),
            ["aa", "b,b,b", "cc", "Escaping quotes: \"Title\"", "line1\nline2"]
        );
        assert_eq!(first_record("record1,a,b,c\nrecord2,x"), ["record1", "a", "b", "c"]);
        assert_eq!(first_record(""), [""]);
    }

    #[test]
    fn sizes_are_written_as_the_documentation_shows() {
        assert_eq!(bytes(564.0, 0, ""), "564 Bytes");
        assert_eq!(bytes(10_332.0, 1, ""), "10.1 KB");
        assert_eq!(bytes(20_010_332.0, 0, ""), "19 MB");
        assert_eq!(bytes(20_010_332.0, 2, ""), "19.08 MB");
        assert_eq!(bytes(20_010_332.0, 0, "KB"), "19541 KB");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-c:/\\\\?&=#@\" \t,\r\né\\[\\]]{0,24}") {
            let _ = (path(&text), url(&text), command_line(&text), first_record(&text));
        }
    }
}
