//! `docs/reference/kql.md` says what the language front really knows.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so by failing")]

use std::fmt::Write;
use std::path::Path;

use fim_kql::{Capability, Code, ScalarType, capabilities};

#[test]
fn the_reference_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/kql.md");
    let expected = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder of the reference");
        std::fs::write(&path, &expected).expect("the reference is written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/reference/kql.md is out of date; run UPDATE=1 cargo test -p fim-kql --test reference"
    );
}

fn reference() -> String {
    let known = capabilities();
    let mut out = String::from(
        "<!-- Generated from crates/fim-kql by `UPDATE=1 cargo test -p fim-kql --test reference`; do not edit. -->\n\n\
         # KQL\n\nWhat of the Kusto query language runs. Anything else is refused by name, never ignored.\n",
    );
    let types: Vec<String> = ScalarType::ALL.iter().map(|ty| format!("`{ty}`")).collect();
    write!(out, "\n## Types\n\n{}.\n", types.join(", ")).expect("a String");
    out += "\n## Sources\n\n`Table`, `table(\"Table\")`, `print`, `range … from … to … step …`, `datatable(…)[…]`, `union …`, `search …`, \
            a query in parentheses, `materialize(…)`, a function of the query.\n";
    out += "\n## Declarations\n\n`let name = value`, `let name = table`, `let name = [view] (parameter: type = default, table: (column: type) \
            or (*)) { … }`, `declare query_parameters(name: type = value)`. A function is called by `name(…)`, with \
            `parameter = value` too, and without parentheses if it takes nothing. `toscalar(query)` is the first value of a query, \
            and `in (query)` looks among the values of its first column; both are computed once, before the rows.\n";
    out += "\n## Operators in expressions\n\n`+ - * / %`, `== != <> < <= > >=`, `=~ !~`, `and or`, `in !in in~ !in~`, \
            `between !between`, `has_any has_all`, `matches regex`, and with `!` in front or `_cs` behind: `has hasprefix hassuffix \
            contains startswith endswith`.\n";
    table(&mut out, "Tabular operators", &known.operators);
    table(&mut out, "Functions", &known.functions);
    table(&mut out, "Functions over rows in their order", &known.windows);
    table(&mut out, "Aggregates", &known.aggregates);
    out += "\n## Diagnostics\n\n| Code | Meaning |\n|---|---|\n";
    for code in Code::ALL {
        writeln!(out, "| {code} | {} |", code.summary()).expect("a String");
    }
    out
}

fn table(out: &mut String, title: &str, rows: &[Capability]) {
    write!(out, "\n## {title}\n\n| Form | Gives |\n|---|---|\n").expect("a String");
    for row in rows {
        writeln!(out, "| `{}` | {} |", row.signature.replace('|', "\\|"), row.summary).expect("a String");
    }
}
