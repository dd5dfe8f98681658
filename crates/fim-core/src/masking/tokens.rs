//! Secrets that can be told by themselves, whatever they stand under.

use super::Spans;

/// A known kind of token: how it begins, which bytes follow, and how many at least.
struct Known {
    prefix: &'static str,
    follows: fn(u8) -> bool,
    least: usize,
}

/// Finds tokens of known kinds.
pub(super) fn find(line: &str, secrets: &mut Spans) {
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let begins = at == 0 || !is_word(bytes[at - 1]);
        let found = match bytes[at] {
            b'$' => crypt(bytes, at),
            b'{' => directory_hash(bytes, at),
            _ if !begins => None,
            b'e' => web_token(bytes, at),
            b'h' => hook(line, at).or_else(|| known(bytes, at)),
            _ => known(bytes, at),
        };
        match found {
            Some(end) => {
                secrets.add(line, at..end);
                at = end.max(at + 1);
            }
            None => at += 1,
        }
    }
}

fn known(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    KNOWN.iter().filter(|known| rest.starts_with(known.prefix.as_bytes())).find_map(|known| {
        let start = at + known.prefix.len();
        let end = run(bytes, start, known.follows);
        (end - start >= known.least).then_some(end)
    })
}

/// A hash of a password as `crypt(5)` writes it: `$6$salt$hash`.
fn crypt(bytes: &[u8], at: usize) -> Option<usize> {
    let name_end = run(bytes, at + 1, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let name = bytes.get(at + 1..name_end)?;
    if bytes.get(name_end) != Some(&b'$') || !CRYPT.contains(&name) {
        return None;
    }
    let end = run(bytes, name_end, |byte| byte.is_ascii_graphic() && !b":;\"'`<>()|&".contains(&byte));
    (end - name_end > 8).then_some(end)
}

/// A hash of a password as directories and mail servers write it: `{SSHA}base64`.
fn directory_hash(bytes: &[u8], at: usize) -> Option<usize> {
    let name_end = run(bytes, at + 1, |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let name = bytes.get(at + 1..name_end).filter(|name| name.len() <= 20)?.to_ascii_uppercase();
    let is_hash = HASHES.iter().any(|hash| name.starts_with(hash));
    if !is_hash || bytes.get(name_end) != Some(&b'}') {
        return None;
    }
    let start = name_end + 1;
    let end = run(bytes, start, |byte| byte.is_ascii_graphic() && !b":;,\"'`<>".contains(&byte));
    (end > start).then_some(end)
}

/// A JSON web token: three stretches of base64 between dots, the first of which is of an object.
fn web_token(bytes: &[u8], at: usize) -> Option<usize> {
    let is_within = at > 0 && bytes[at - 1] == b'-';
    if is_within || !bytes[at..].starts_with(b"eyJ") {
        return None;
    }
    let first = run(bytes, at, is_base64_of_urls);
    let second = run(bytes, first + 1, is_base64_of_urls);
    if bytes.get(first) != Some(&b'.') || first - at < 10 || second.saturating_sub(first) < 5 {
        return None;
    }
    Some(if bytes.get(second) == Some(&b'.') { run(bytes, second + 1, is_base64_of_urls) } else { second })
}

/// The path of an address that whoever knows it may post to.
fn hook(line: &str, at: usize) -> Option<usize> {
    let rest = line.get(at..)?;
    let hook = HOOKS.iter().find(|hook| rest.starts_with(**hook))?;
    let end = run(line.as_bytes(), at + hook.len(), |byte| is_base64_of_urls(byte) || byte == b'/');
    (end - at > hook.len() + 8).then_some(end)
}

/// Where the run of such bytes ends that begins at `start`.
fn run(bytes: &[u8], start: usize, is_in: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start.min(bytes.len()) + rest.iter().position(|&byte| !is_in(byte)).unwrap_or(rest.len())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_base64_of_urls(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn is_dotted(byte: u8) -> bool {
    is_base64_of_urls(byte) || byte == b'.'
}

fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

const fn known_as(prefix: &'static str, follows: fn(u8) -> bool, least: usize) -> Known {
    Known { prefix, follows, least }
}

/// As the services publish them for scanners of secrets.
const KNOWN: [Known; 39] = [
    known_as("AKIA", is_upper, 16),
    known_as("ASIA", is_upper, 16),
    known_as("ABIA", is_upper, 16),
    known_as("ACCA", is_upper, 16),
    known_as("ghp_", is_alphanumeric, 30),
    known_as("gho_", is_alphanumeric, 30),
    known_as("ghu_", is_alphanumeric, 30),
    known_as("ghs_", is_dotted, 30),
    known_as("ghr_", is_alphanumeric, 30),
    known_as("github_pat_", is_base64_of_urls, 22),
    known_as("glpat-", is_dotted, 20),
    known_as("glrt-", is_dotted, 20),
    known_as("gldt-", is_dotted, 20),
    known_as("xoxa-", is_base64_of_urls, 10),
    known_as("xoxb-", is_base64_of_urls, 10),
    known_as("xoxe-", is_base64_of_urls, 10),
    known_as("xoxe.", is_dotted, 10),
    known_as("xoxo-", is_base64_of_urls, 10),
    known_as("xoxp-", is_base64_of_urls, 10),
    known_as("xoxr-", is_base64_of_urls, 10),
    known_as("xoxs-", is_base64_of_urls, 10),
    known_as("xapp-", is_base64_of_urls, 10),
    known_as("sk_live_", is_alphanumeric, 16),
    known_as("sk_test_", is_alphanumeric, 16),
    known_as("rk_live_", is_alphanumeric, 16),
    known_as("whsec_", is_alphanumeric, 16),
    known_as("sk-", is_base64_of_urls, 20),
    known_as("AIza", is_base64_of_urls, 35),
    known_as("ya29.", is_base64_of_urls, 20),
    known_as("npm_", is_alphanumeric, 36),
    known_as("pypi-", is_base64_of_urls, 50),
    known_as("dop_v1_", is_alphanumeric, 40),
    known_as("hf_", is_alphanumeric, 30),
    known_as("hvs.", is_base64_of_urls, 20),
    known_as("SG.", is_dotted, 40),
    known_as("glsa_", is_base64_of_urls, 30),
    known_as("shpat_", is_alphanumeric, 30),
    known_as("AGE-SECRET-KEY-1", is_upper, 30),
    known_as("stf_", is_base64_of_urls, 20),
];

const CRYPT: [&[u8]; 22] = [
    b"1",
    b"2",
    b"2a",
    b"2b",
    b"2x",
    b"2y",
    b"3",
    b"5",
    b"6",
    b"7",
    b"y",
    b"gy",
    b"sm3y",
    b"md5",
    b"sha1",
    b"apr1",
    b"argon2i",
    b"argon2d",
    b"argon2id",
    b"scrypt",
    b"pbkdf2-sha256",
    b"pbkdf2-sha512",
];

const HASHES: [&[u8]; 9] =
    [b"SSHA", b"SHA", b"SMD5", b"MD5", b"CRYPT", b"PBKDF2", b"ARGON2", b"BLF-CRYPT", b"CLEARTEXT"];

const HOOKS: [&str; 3] =
    ["hooks.slack.com/services/", "https://discord.com/api/webhooks/", "https://hooks.slack.com/services/"];
