//! Laws of the language front: nothing panics, tokens cover the text, printing loses nothing.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so by failing")]

mod common;

use common::{CorpusCatalog, corpus, options};
use fim_kql::lexer::tokenize;
use fim_kql::{Code, bind, compile, parse};
use proptest::prelude::*;

/// Everything at once: whatever the text, there is an answer, and its places are inside the text.
fn survives(text: &str) {
    let (ast, mut found) = parse(text);
    let (plan, more) = bind(&ast, &CorpusCatalog, &options());
    found.extend(more);
    for diagnostic in &found {
        assert!(diagnostic.line >= 1 && diagnostic.column >= 1);
        assert!(
            text.len() > fim_kql::MAX_TEXT_BYTES
                || text.get(diagnostic.span.start..diagnostic.span.end).is_some()
        );
    }
    drop(plan);
}

/// The tree without the places, as text.
fn shape(text: &str) -> String {
    let (ast, _) = parse(text);
    let mut out = String::new();
    let debug = format!("{:?}", ast.statements);
    let mut rest = debug.as_str();
    while let Some(at) = rest.find("Span {") {
        out.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('}').expect("the end of a span") + 1..];
    }
    out + rest
}

#[test]
fn hostile_nesting_is_refused_without_a_stack() {
    // Recursion this deep would need many times the stack of a test.
    let n = 10_000;
    let wide = |open: &str, close: &str| format!("print {}1{}", open.repeat(n), close.repeat(n));
    for text in [
        wide("(", ")"),
        wide("(", ""),
        wide("-", ""),
        wide("dynamic([", "])"),
        wide("strcat(", ")"),
        wide("1+", ""),
        wide("1 in (", ")"),
        format!("print dynamic({}", "[".repeat(n)),
        format!("print x{}", ".a".repeat(n)),
        format!("print x{}", "[0]".repeat(n)),
        format!("{}T", "(".repeat(n)),
        format!("{}print 1", "let a = ".repeat(n)),
        format!("{}T | take 1{}", "(".repeat(50), ") | take 1".repeat(50)),
        "[".repeat(n),
        format!("{}T", "T | join (".repeat(n)),
        format!("{}T{}", "T | union (".repeat(n), ")".repeat(n)),
        format!("{}1", "let f = () { ".repeat(n)),
        format!("print {}", "toscalar(T | where x in (".repeat(n)),
        format!("T | where {}", "x in (T | where ".repeat(n)),
    ] {
        survives(&text);
    }
    let (_, found) = parse(&format!("print {}1{}", "(".repeat(n), ")".repeat(n)));
    assert_eq!(found.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>(), [Code::TooDeep]);
}

#[test]
fn hostile_chains_of_declarations_are_refused_without_a_stack() {
    let chain = |declare: &dyn Fn(usize) -> String, last: &str| {
        let mut text = String::from("let a0 = (x:long) { x + 1 }; let t0 = ConfigurationChange; ");
        text.extend((1..300).map(declare));
        text + last
    };
    let texts = [
        chain(&|i| format!("let a{i} = (x:long) {{ a{}(x) + 1 }};", i - 1), "print a299(1)"),
        chain(&|i| format!("let a{i} = (x:long) {{ a{0}(x) + a{0}(x) }};", i - 1), "print a299(1)"),
        chain(&|i| format!("let a{i} = (x:long) {{ toscalar(print y = a{}(x)) }};", i - 1), "print a299(1)"),
        chain(&|i| format!("let t{i} = ConfigurationData | join (t{}) on Computer;", i - 1), "t299"),
        chain(&|i| format!("let t{i} = t{0} | union t{0};", i - 1), "t299"),
        chain(&|i| format!("let t{i} = () {{ t{0} | union t{0} }};", i - 1), "t299"),
        chain(&|i| format!("let t{i} = t{} | as s{i} | union s{i};", i - 1), "t299"),
    ];
    for text in texts {
        let found = compile(&text, &CorpusCatalog, &options()).expect_err("too deep or too large");
        let is_bounded = |code| matches!(code, Code::TooDeep | Code::TooLarge);
        assert!(found.iter().any(|diagnostic| is_bounded(diagnostic.code)), "{:?}", found.first());
    }
}

#[test]
fn a_wide_query_is_bound() {
    let list = vec!["1"; 20_000].join(", ");
    assert!(compile(&format!("print x = 1 | where x in ({list})"), &CorpusCatalog, &options()).is_ok());
    let any = vec!["x == 1"; 5_000].join(" or ");
    assert!(compile(&format!("print x = 1 | where {any}"), &CorpusCatalog, &options()).is_ok());
    let pipes = " | take 1".repeat(200);
    assert!(compile(&format!("print x = 1{pipes}"), &CorpusCatalog, &options()).is_ok());
}

#[test]
fn a_query_of_very_many_operators_is_refused() {
    let pipes = " | take 1".repeat(5_000);
    let found = compile(&format!("print x = 1{pipes}"), &CorpusCatalog, &options()).unwrap_err();
    assert_eq!(found.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>(), [Code::TooLarge]);
}

#[test]
fn lets_that_double_are_refused() {
    let mut text = String::from("let a0 = strlen(\"x\");");
    for i in 1..60 {
        text += &format!("let a{i} = a{0} + a{0};", i - 1);
    }
    let found = compile(&(text + "print a59"), &CorpusCatalog, &options()).expect_err("too large");
    assert!(found.iter().any(|diagnostic| diagnostic.code == Code::TooLarge), "{found:?}");
    let mut chain = String::from("let a0 = strlen(\"x\");");
    for i in 1..5_000 {
        chain += &format!("let a{i} = a{} + 1;", i - 1);
    }
    let found = compile(&(chain + "print a4999"), &CorpusCatalog, &options()).expect_err("too deep");
    assert!(found.iter().any(|diagnostic| diagnostic.code == Code::TooDeep), "{found:?}");
}

#[test]
fn a_text_over_the_limit_is_refused() {
    let text = " ".repeat(fim_kql::MAX_TEXT_BYTES + 1);
    assert_eq!(parse(&text).1[0].code, Code::TooLarge);
}

#[test]
fn printing_a_query_of_the_corpus_and_parsing_it_gives_the_same_tree() {
    for (_, queries) in corpus() {
        for query in queries {
            let (ast, found) = parse(&query);
            if found.is_empty() {
                let printed = ast.to_string();
                assert_eq!(shape(&printed), shape(&query), "{query}\n{printed}");
            }
        }
    }
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "ConfigurationChange",
        "Computer",
        "Size",
        "where",
        "summarize",
        "by",
        "count",
        "project",
        "extend",
        "|",
        ";",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "=",
        "==",
        "in",
        "in~",
        "!in",
        "has",
        "!has",
        "between",
        "..",
        ".",
        "and",
        "or",
        "not",
        "let",
        "print",
        "range",
        "from",
        "to",
        "step",
        "datatable",
        ":",
        "long",
        "1",
        "1.5",
        "1d",
        "\"a\"",
        "'",
        "\"",
        "@",
        "h",
        "dynamic",
        "ago",
        "now()",
        "datetime(2026-01-01)",
        "*",
        "-",
        "+",
        "/",
        "%",
        "<",
        "take",
        "top",
        "sort",
        "order",
        "asc",
        "desc",
        "nulls",
        "first",
        "distinct",
        "project-away",
        "project-reorder",
        "join",
        "kind",
        "on",
        "$left",
        "$right",
        "lookup",
        "union",
        "withsource",
        "search",
        "serialize",
        "prev",
        "toscalar",
        "materialize",
        "invoke",
        "evaluate",
        "narrow",
        "getschema",
        "sample",
        "render",
        "with",
        "view",
        "declare",
        "query_parameters",
        "=>",
        "arg_max",
        "max",
        "é",
        "§",
        "\n",
        "//",
        "```",
        "true",
        "null",
        "typeof",
        "case",
        "iff",
        "x",
        "as",
    ])
    .prop_map(str::to_owned)
}

/// Expressions that are printed as the language writes them, so that parsing gives what was meant.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("['b c']".to_owned()),
        Just("['where']".to_owned()),
        Just("\"t\\\"x\"".to_owned()),
        Just("1".to_owned()),
        Just("2.5".to_owned()),
        Just("3h".to_owned()),
        Just("datetime(2026-01-02)".to_owned()),
        Just("dynamic([1,{\"a\":\"b\"}])".to_owned()),
        Just("long(null)".to_owned()),
        Just("true".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let binary = prop::sample::select(vec![
            "+",
            "-",
            "*",
            "/",
            "%",
            "==",
            "!=",
            "<",
            ">=",
            "has",
            "!contains",
            "=~",
            "matches regex",
            "and",
            "or",
        ]);
        prop_oneof![
            (inner.clone(), binary, inner.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.clone().prop_map(|a| format!("({a}).p[0]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("f({a}, x = {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a}) !between ({b} .. {c})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) in~ ({b}, 1)")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        survives(&text);
    }

    #[test]
    fn arbitrary_words_never_panic(words in prop::collection::vec(word(), 0..40)) {
        survives(&words.join(" "));
        survives(&words.concat());
    }

    #[test]
    fn tokens_cover_the_text(text in any::<String>()) {
        let mut at = 0;
        for token in tokenize(&text) {
            prop_assert_eq!(token.span.start, at);
            prop_assert!(token.span.end > at);
            at = token.span.end;
        }
        prop_assert_eq!(at, text.len());
    }

    #[test]
    fn parsing_what_is_printed_gives_the_same_tree(a in expression(), b in expression()) {
        let text = format!("T | where {a} | extend n = {b}, {a} | summarize max({b}) by {a} | sort by {b} asc nulls last");
        let (ast, found) = parse(&text);
        prop_assert!(found.is_empty(), "{text}: {found:?}");
        let printed = ast.to_string();
        prop_assert_eq!(shape(&printed), shape(&text), "{}", printed);
    }
}
