//! Names under which secrets stand.

/// True if what stands under the name is a secret: `db_password`, `apiKey`, `DB.PASS`, `client-secret2`.
pub(super) fn is_secret(name: &str) -> bool {
    // What matters is at the end; no name is that long.
    let tail = name.get(name.len().saturating_sub(LONGEST)..).unwrap_or_default();
    let tail = tail.trim_end_matches(|last: char| last.is_ascii_digit() || matches!(last, '_' | '-' | '.'));
    let plain: String = tail
        .chars()
        .filter(|sign| sign.is_ascii_alphanumeric())
        .map(|sign| sign.to_ascii_lowercase())
        .collect();
    if NOT_SECRET.contains(&plain.as_str()) || matches!(name, "PWD" | "OLDPWD") {
        return false;
    }
    WHOLE.contains(&plain.as_str())
        || ENDINGS.iter().any(|ending| plain.ends_with(ending))
        || WORDS.contains(&last_word(tail).to_ascii_lowercase().as_str())
}

/// True if a value says which secret is meant by the value beside it: `name: DB_PASSWORD`, `value: …`.
pub(super) fn names_another(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "name" | "key" | "id" | "variable" | "param" | "option")
}

/// True if the value of what was named beside it stands under this name.
pub(super) fn is_value(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "value" | "val" | "default" | "content" | "string")
}

/// `Pass` of `dbPass` and `db_Pass`.
fn last_word(name: &str) -> &str {
    let bytes = name.as_bytes();
    let starts = (1..bytes.len()).rev().find(|&at| {
        !bytes[at - 1].is_ascii_alphanumeric()
            || bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase()
    });
    name.get(starts.unwrap_or(0)..).unwrap_or(name)
}

/// A byte that a name may have.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

const LONGEST: usize = 128;

/// What sudo calls that no password is asked for, and what such names deny.
const NOT_SECRET: [&str; 3] = ["nopasswd", "nopassword", "nosecret"];

/// Too short to be an ending of another word.
const WHOLE: [&str; 8] = [
    "rocommunity",
    "rwcommunity",
    "auth",
    "authorization",
    "proxyauthorization",
    "cookie",
    "setcookie",
    "sig",
];

/// The last word of a name.
const WORDS: [&str; 7] = ["pass", "pwd", "pw", "psk", "jwt", "passwort", "community"];

const ENDINGS: [&str; 37] = [
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "secrets",
    "token",
    "credential",
    "credentials",
    "apikey",
    "accesskey",
    "accountkey",
    "secretkey",
    "secretkeybase",
    "privatekey",
    "presharedkey",
    "sharedkey",
    "masterkey",
    "encryptionkey",
    "signingkey",
    "sessionkey",
    "recoverykey",
    "licensekey",
    "authkey",
    "authtok",
    "hmackey",
    "bindpw",
    "rootpw",
    "dbpass",
    "storepass",
    "keypass",
    "requirepass",
    "masterauth",
    "passwordhash",
    "privatemac",
    "webhookurl",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_of_a_secret_by_its_end() {
        for name in [
            "password",
            "DB_PASSWORD",
            "dbPass",
            "db.pass",
            "client-secret2",
            "apiKey",
            "PGPASSWORD",
            "PrivateKey",
            "_authToken",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "",
            "-",
            "PasswordAuthentication",
            "password_file",
            "token_ttl",
            "NOPASSWD",
            "PWD",
            "bypass",
            "compass",
            "PASS_MAX_DAYS",
            "ä",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
