//! Secrets by their place in a line: files of accounts, addresses with credentials, and arguments of programs.

use super::Spans;
use super::keys::is_secret;
use super::pairs::is_open;

/// Finds them.
pub(super) fn find(line: &str, secrets: &mut Spans) {
    fields(line, secrets);
    words(line, secrets);
    addresses(line, secrets);
    grub(line, secrets);
}

/// Lines of fields between colons: `shadow(5)`, `gshadow(5)`, `passwd(5)`, and the password file of PostgreSQL.
fn fields(line: &str, secrets: &mut Spans) {
    let mut colons = [0; 9];
    let mut count = 0;
    let mut is_escaped = false;
    for (at, byte) in line.bytes().enumerate() {
        let is_colon = byte == b':' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        if is_colon && count == colons.len() {
            return;
        }
        if is_colon {
            colons[count] = at;
            count += 1;
        }
    }
    match count {
        3 | 6 | 8 => account(line, count, colons[0] + 1..colons[1], secrets),
        4 => {
            let field = |from: usize, to: usize| &line[colons[from] + 1..colons[to]];
            let host = &line[..colons[0]];
            let (port, user) = (field(0, 1), field(2, 3));
            let is_port = port == "*" || port.parse::<u16>().is_ok();
            let is_user = user == "*" || user.bytes().any(|byte| byte.is_ascii_alphabetic());
            let is_tight = !line[..colons[3]].trim_start_matches('#').trim().contains([' ', '\t']);
            if is_port && is_user && is_tight && !host.is_empty() && !field(1, 2).is_empty() {
                secrets.add(line, colons[3] + 1..line.len());
            }
        }
        _ => {}
    }
}

/// The second field of an account, unless it says that there is no password or that it is kept elsewhere.
fn account(line: &str, colons: usize, field: std::ops::Range<usize>, secrets: &mut Spans) {
    let hash = line[field.clone()].trim_start_matches(['!', '*']);
    let is_hash = match colons {
        8 => !hash.is_empty() && hash != "x" && hash != "LK*" && hash != "NP",
        _ => {
            hash.len() >= 13
                && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./_$".contains(&byte))
        }
    };
    let is_name = !line[..field.start].trim().contains([' ', '\t', '/']);
    if is_hash && is_name {
        secrets.add(line, field.end - hash.len()..field.end);
    }
}

/// Names and values between spaces: `machine M login L password P`, `--token T`, `requirepass P`, `curl -u L:P`.
fn words(line: &str, secrets: &mut Spans) {
    let mut before: Option<&str> = None;
    let mut first = "";
    let (mut has_user, mut has_caller, mut has_database) = (false, false, false);
    let is_pair = line.split_ascii_whitespace().take(3).count() == 2;
    let mut rest = line;
    while let Some(word) = rest.split_ascii_whitespace().next() {
        let start = word.as_ptr() as usize - line.as_ptr() as usize;
        let end = start + word.len();
        rest = &line[end..];
        let Some(name) = before.replace(word) else {
            first = word;
            // `enable secret 5 HASH`, as routers have it.
            has_user = is_user_word(word) || word == "enable";
            continue;
        };
        let is_flag = name.starts_with('-') && is_secret(name) && !word.starts_with('-');
        let is_named = has_user && matches!(name, "password" | "passwd" | "secret");
        // `password P` alone in its line, or `secret "S"` anywhere.
        let is_only = (is_pair || word.starts_with(['"', '\'']))
            && name.bytes().all(super::keys::is_name_byte)
            && is_secret(name);
        // `password 7 HASH`: which kind of hash follows.
        let is_kind = is_named && word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_digit());
        if is_kind {
            before = Some(name);
        } else if (is_flag || is_named || is_only) && !is_open(unquoted(word)) && word != "=" {
            // A quoted value may have spaces.
            let is_begun = word.starts_with(['"', '\'']) && !word[1..].contains(['"', '\'']);
            secrets.add(line, start..if is_begun { line.len() } else { end });
        } else if has_caller && matches!(name, "-u" | "-U" | "--user" | "--proxy-user") {
            if let Some((_, password)) = word.split_once(':') {
                secrets.add(line, end - password.len()..end);
            }
        } else if name == "-p" && first.ends_with("sshpass") || has_database && is_short_password(word) {
            let skipped = if name == "-p" { 0 } else { 2 };
            secrets.add(line, start + skipped..end);
        } else if name == "community" && first.starts_with("snmp") {
            secrets.add(line, start..end);
        }
        has_user |= is_user_word(word);
        has_caller |= is_caller(name) || is_caller(word);
        has_database |= is_database(name) || is_database(word);
    }
}

fn unquoted(word: &str) -> &str {
    word.trim_end_matches([';', ',']).trim_matches(['"', '\''])
}

fn is_user_word(word: &str) -> bool {
    matches!(word, "machine" | "default" | "login" | "user" | "username" | "account")
}

fn is_caller(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("curl" | "wget" | "http"))
}

fn is_database(word: &str) -> bool {
    word.rsplit('/').next().is_some_and(|name| name.starts_with("mysql") || name.starts_with("mariadb"))
}

fn is_short_password(word: &str) -> bool {
    word.len() > 2 && word.starts_with("-p")
}

/// `scheme://user:password@host` and `user:password@tcp(host)`.
fn addresses(line: &str, secrets: &mut Spans) {
    let bytes = line.as_bytes();
    // Where what may be an address ends, and the last `@` in it: many addresses may be in one word.
    let (mut end, mut last) = (0, None);
    for (colon, _) in line.match_indices("://") {
        let start = colon + 3;
        if start >= end {
            let length = bytes[start..].iter().position(|byte| ends_address(*byte));
            end = length.map_or(bytes.len(), |length| start + length);
            last = bytes[start..end].iter().rposition(|&byte| byte == b'@').map(|at| start + at);
        }
        let address = &bytes[start..end];
        // No other address begins before this.
        let authority =
            &address[..address.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(address.len())];
        let Some(at) = authority.iter().rposition(|&byte| byte == b'@').or_else(|| {
            // A password may have been written with a slash in it. What looks like a port may be the beginning of one.
            let colon = authority.iter().position(|&byte| byte == b':')?;
            last.filter(|&last| last > start + colon).map(|last| last - start)
        }) else {
            continue;
        };
        match authority.iter().take(at).position(|&byte| byte == b':') {
            Some(colon) if !is_open(&line[start + colon + 1..start + at]) => {
                secrets.add(line, start + colon + 1..start + at);
            }
            Some(_) => {}
            // Services take a token as the user.
            None if at >= LEAST_TOKEN => secrets.add(line, start..start + at),
            None => {}
        }
    }
    let mut floor = 0;
    for (at, driver) in line.match_indices("@tcp(").chain(line.match_indices("@unix(")) {
        floor = if at < floor { 0 } else { floor };
        let begin = bytes[floor..at].iter().rposition(|byte| ends_address(*byte) || *byte == b'=');
        let begin = begin.map_or(floor, |begin| floor + begin + 1);
        if let Some(colon) = bytes[begin..at].iter().position(|&byte| byte == b':') {
            secrets.add(line, begin + colon + 1..at);
        }
        floor = at + driver.len();
    }
}

/// `grub.pbkdf2.sha512.10000.SALT.HASH`.
fn grub(line: &str, secrets: &mut Spans) {
    let mut done = 0;
    for (at, _) in
        line.match_indices("grub.pbkdf2.").filter(|(at, _)| *at == 0 || !is_in_hash(line.as_bytes()[at - 1]))
    {
        if at >= done {
            done = at + line[at..].bytes().take_while(|byte| is_in_hash(*byte)).count();
            secrets.add(line, at..done);
        }
    }
}

fn is_in_hash(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'.'
}

fn ends_address(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"\"'`<>".contains(&byte)
}

/// The shortest user of an address that may be a token.
const LEAST_TOKEN: usize = 20;
