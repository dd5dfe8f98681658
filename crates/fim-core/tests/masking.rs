//! What is masked of a text, and what stays.

use std::collections::BTreeMap;

use fim_core::mask;
use proptest::prelude::*;

/// A mark as a keyed one would be, with a key that everybody knows.
fn mark(secret: &[u8]) -> u32 {
    secret.iter().fold(0x811c_9dc5, |mark, byte| (mark ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Secrets stand between « and » in a corpus: they alone are masked, and the rest stays byte for byte.
fn check(corpus: &str) {
    let plain = corpus.replace(['«', '»'], "");
    let masked = mask(&plain, mark);
    let wrong: Vec<String> = corpus
        .lines()
        .zip(masked.lines())
        .enumerate()
        .filter(|(_, (line, found))| *found != expected(line))
        .map(|(number, (line, found))| format!("line {}: {line}\n{found}", number + 1))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(masked.lines().count(), corpus.lines().count());
    for secret in secrets(corpus).filter(|secret| secret.len() > 3 && !is_named_openly(secret)) {
        assert!(!masked.contains(secret), "{secret} is still there");
    }
}

/// Some secrets of the corpus are words that stand elsewhere in it too.
fn is_named_openly(secret: &str) -> bool {
    ["plain", "false", "redis", "a: b", "c: d", "given", "inner", "first", "second"].contains(&secret)
}

fn expected(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, from)) = rest.split_once('«') {
        let Some((secret, after)) = from.split_once('»') else { return format!("{text}«{from}") };
        text.push_str(before);
        text.push_str(&format!("[masked:{:08x}]", mark(secret.as_bytes())));
        rest = after;
    }
    text + rest
}

fn secrets(corpus: &str) -> impl Iterator<Item = &str> {
    corpus.split('«').skip(1).filter_map(|from| from.split('»').next())
}

#[test]
fn no_secret_of_the_corpus_survives_and_the_rest_stays() {
    check(include_str!("masking/secrets.txt"));
}

#[test]
fn the_data_of_a_kubernetes_secret_is_secret_whatever_it_is_called() {
    check(include_str!("masking/cluster-secret.txt"));
    let json = r#"{"kind":"Secret","data":{"a":"MWYy","b":"ZDFl"},"type":"Opaque"}"#;
    let masked = mask(json, mark);
    assert!(
        !masked.contains("MWYy") && !masked.contains("ZDFl") && masked.ends_with(r#"},"type":"Opaque"}"#)
    );
    let other = r#"{"kind":"ConfigMap","data":{"a":"MWYy"}}"#;
    assert_eq!(mask(other, mark), other);
}

#[test]
fn lines_end_as_they_did_and_none_is_added() {
    assert_eq!(mask("a=1\r\npassword=x1\r\n\r\nb=2", |_| 7), "a=1\r\npassword=[masked:00000007]\r\n\r\nb=2");
    assert_eq!(mask("", |_| 7), "");
}

#[test]
fn equal_secrets_have_equal_marks_and_others_have_others() {
    let masked = mask("password=one\npassword=two\ntoken: one\n", mark);
    let marks: Vec<&str> = masked.lines().map(|line| &line[line.len() - 17..]).collect();
    assert_eq!(marks[0], marks[2]);
    assert_ne!(marks[0], marks[1]);
}

/// A megabyte each: what looked at the rest of a line for each of its signs would not come to an end.
#[test]
fn lines_that_would_be_slow_to_read_again_and_again_are_read_once() {
    for piece in [
        "://",
        "://a:b/",
        "://a:b@",
        "@tcp(",
        "a:b@unix(",
        "BEGIN PRIVATE KEY",
        "BEGIN A PRIVATE KEY-----END ",
        "eyJ-",
        "eyJaaaaaaa.",
        "$6$",
        "{SHA",
        "grub.pbkdf2.",
        "<a ",
        "<password ",
        "<password>",
        "</password",
        "password:",
        "password=[",
        "password=\"",
        "password='\\",
        "name:password ",
        "name=\"token\" value=",
        "\"data\":{",
        "-p ",
        "password ",
        "sk-",
        "xoxb-",
        "a:",
        "=",
        "\"",
        "[",
        "«",
        "curl -u a:",
    ] {
        let line = piece.repeat((1 << 20) / piece.len());
        assert!(!mask(&line, mark).is_empty());
    }
}

fn fragments() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "password",
            "token",
            ":",
            "=",
            " ",
            "\n",
            "\"",
            "'",
            "\\",
            "<",
            ">",
            "</",
            "[",
            "]",
            "{",
            "}",
            "- ",
            "|",
            "-----BEGIN RSA PRIVATE KEY-----",
            "-----END RSA PRIVATE KEY-----",
            "Private-Lines: 3",
            "://",
            "@",
            "$6$",
            "{SSHA}",
            "eyJ",
            ".",
            "name",
            "value",
            "kind: Secret\n",
            "data:\n",
            "  ",
            "ä",
            "\u{2028}",
            "\r\n",
            "curl -u ",
            "Private-Lines: 18446744073709551615",
            "@tcp(",
            "machine login ",
            "login x password ",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,8}",
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_masked_without_losing_a_line(text in fragments()) {
        let masked = mask(&text, mark);
        prop_assert_eq!(masked.split('\n').count(), text.split('\n').count());
    }

    #[test]
    fn text_without_the_signs_of_a_secret_stays_byte_for_byte(text in "([a-c ,.()\r\n\u{e4}]|[0-9])*") {
        prop_assert_eq!(mask(&text, mark), text);
    }

    #[test]
    fn a_secret_under_its_name_never_survives(
        secret in "[A-Za-z0-9!%^+~][A-Za-z0-9!#%^+~/.]{6,30}",
        before in fragments(),
        shape in 0_usize..8,
    ) {
        prop_assume!(!before.contains(&secret));
        let line = match shape {
            0 => format!("password={secret}"),
            1 => format!("  db_password: {secret}"),
            2 => format!("\"apiKey\": \"{secret}\","),
            3 => format!("<secret>{secret}</secret>"),
            4 => format!("https://user:{secret}@example.com/"),
            5 => format!("export API_TOKEN='{secret}'"),
            6 => format!("Server=x;Password={secret};User=y"),
            _ => format!("Authorization: Bearer {secret}"),
        };
        let masked = mask(&format!("{before}\n{line}\n"), mark);
        prop_assert!(!masked.contains(&secret), "{}", masked);
    }

    #[test]
    fn what_is_masked_is_told_by_its_mark_alone(text in fragments(), key in any::<u32>()) {
        // Whatever the marks are, the text around them is the same.
        let mut marks = BTreeMap::new();
        let one = mask(&text, |secret| mark(secret) ^ key);
        let other = mask(&text, mark);
        for (one, other) in one.split("[masked:").skip(1).zip(other.split("[masked:").skip(1)) {
            prop_assert_eq!(&one.get(8..), &other.get(8..));
            if let (Some(one), Some(other)) = (one.get(..8), other.get(..8)) {
                prop_assert_eq!(marks.entry(other.to_owned()).or_insert_with(|| one.to_owned()).as_str(), one);
            }
        }
    }
}
