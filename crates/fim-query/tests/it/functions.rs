//! Scalar functions against the plainest models of them, over generated values.

use fim_query::{QueryEngine, QueryError};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::sync::OnceLock;

use crate::support::{NoTables, as_json, engine, run};

fn shared() -> &'static QueryEngine {
    static ENGINE: OnceLock<QueryEngine> = OnceLock::new();
    ENGINE.get_or_init(engine)
}

/// Evaluates expressions over the rows of a `datatable`, so that columns and not constants are computed.
fn over(schema: &str, rows: &[String], expressions: &str) -> Vec<Vec<Json>> {
    let query = format!("datatable({schema}) [{}] | project {expressions}", rows.join(", "));
    as_json(&run(shared(), &NoTables, &query).unwrap_or_else(|error| panic!("{query}\n{error}"))).1
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

#[test]
fn every_unit_that_is_offered_is_known() {
    for quantity in ["angle", "energy", "force", "length", "mass", "speed", "temperature", "volume"] {
        let convert = |unit: &str| format!("print convert_{quantity}(2.5, '{unit}', '{unit}')");
        let Err(QueryError::Language(found)) = run(shared(), &NoTables, &convert("no unit")) else {
            panic!("{quantity} knows no unit");
        };
        assert!(found[0].expected.len() > 3, "{quantity}");
        for unit in &found[0].expected {
            let value = as_json(&run(shared(), &NoTables, &convert(unit)).unwrap()).1[0][0].as_f64();
            assert!(value.is_some_and(|value| (value - 2.5).abs() < 1e-9), "{unit}: {value:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn integers_wrap_and_divide_without_error(pairs in prop::collection::vec((any::<i64>(), prop_oneof![any::<i64>(), -3..4_i64]), 1..40)) {
        let rows: Vec<String> = pairs.iter().map(|(a, b)| format!("long({a}), long({b})")).collect();
        let found = over("a: long, b: long", &rows, "a + b, a - b, a * b, a / b, a % b, bin(a, b)");
        for ((a, b), row) in pairs.into_iter().zip(found) {
            let or_null = |value: Option<i64>| value.map_or(Json::Null, Json::from);
            let bin = (b > 0).then(|| i64::try_from(i128::from(a).div_euclid(b.into()) * i128::from(b)).ok()).flatten();
            let expected = vec![
                json!(a.wrapping_add(b)),
                json!(a.wrapping_sub(b)),
                json!(a.wrapping_mul(b)),
                or_null((b != 0).then(|| a.wrapping_div(b))),
                or_null((b != 0).then(|| a.wrapping_rem_euclid(b))),
                or_null(bin),
            ];
            prop_assert_eq!(row, expected, "{} and {}", a, b);
        }
    }

    #[test]
    fn texts_are_cut_by_characters(rows in prop::collection::vec(("[a-cé€😀 ]{0,8}", -10..10_i64, -2..10_i64), 1..40)) {
        let lines: Vec<String> = rows.iter().map(|(s, from, len)| format!("{}, long({from}), long({len})", quoted(s))).collect();
        let found = over("s: string, f: long, n: long", &lines, "substring(s, f, n), strlen(s), toupper(tolower(s)) =~ s");
        for ((s, from, length), row) in rows.into_iter().zip(found) {
            let characters: Vec<char> = s.chars().collect();
            let start = if from < 0 { characters.len().saturating_sub(from.unsigned_abs() as usize) } else { from as usize };
            let cut: String = characters.iter().skip(start).take(length.max(0) as usize).collect();
            prop_assert_eq!(&row, &vec![json!(cut), json!(characters.len()), json!(true)], "{} {} {}", s, from, length);
        }
    }

    #[test]
    fn every_text_operator_answers_the_same_for_constants_and_columns(texts in prop::collection::vec(("[aAbB./ é]{0,8}", "[aAbB.é]{0,2}"), 1..20)) {
        let operators = ["has", "contains", "startswith", "endswith", "hasprefix", "hassuffix", "=~", "has_cs", "contains_cs"];
        let rows: Vec<String> = texts.iter().map(|(text, what)| format!("{}, {}", quoted(text), quoted(what))).collect();
        let of_columns: Vec<String> = operators.iter().map(|operator| format!("s {operator} w")).collect();
        let found = over("s: string, w: string", &rows, &of_columns.join(", "));
        for ((text, what), row) in texts.iter().zip(found) {
            let constants: Vec<String> = operators.iter().map(|operator| format!("{} {operator} {}", quoted(text), quoted(what))).collect();
            let constant = as_json(&run(shared(), &NoTables, &format!("print {}", constants.join(", "))).unwrap()).1;
            prop_assert_eq!(&row, &constant[0], "{} {}", text, what);
        }
    }

    #[test]
    fn a_moment_survives_the_way_through_its_text(micros in prop::collection::vec(-62_000_000_000_000_000..250_000_000_000_000_000_i64, 1..40)) {
        let rows: Vec<String> = micros.iter().map(|micros| format!("long({})", micros)).collect();
        let t = "datetime(1970-01-01) + x * 1microsecond";
        let found = over("x: long", &rows, &format!("todatetime(tostring({t})) == {t}, ({t} - datetime(1970-01-01)) / 1microsecond, bin({t}, 1d) == startofday({t})"));
        for (micros, row) in micros.into_iter().zip(found) {
            prop_assert_eq!(row, vec![json!(true), json!((micros * 10) as f64 / 10.0), json!(true)], "{}", micros);
        }
    }

    #[test]
    fn no_text_makes_a_conversion_fail(texts in prop::collection::vec(any::<String>(), 1..30)) {
        let rows: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        let all = "tolong(s), toint(s), todouble(s), tobool(s), todatetime(s), totimespan(s), toguid(s), parse_json(s), strlen(s), split(s, 'a'), trim('a', s), extract('(.)', 1, s)";
        let found = over("s: string", &rows, all);
        prop_assert_eq!(found.len(), texts.len());
    }
}
