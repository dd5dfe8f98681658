//! The name that was probably meant.

/// The candidate that is nearest to `name`, if it is near: equal but for case, or a few typing mistakes away.
pub(crate) fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    // Longer texts are no misspelled names, and comparing them costs the product of the lengths.
    if name.is_empty() || name.len() > 64 {
        return None;
    }
    let folded = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let mistakes = distance(&folded, &candidate.to_lowercase(), allowed);
        if mistakes <= allowed && best.is_none_or(|(fewest, _)| mistakes < fewest) {
            best = Some((mistakes, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

/// The most likely of the candidates for a name that is near to none: those that contain it or are contained in it, then
/// those that begin alike. Each costs no more than its length.
pub(crate) fn likely<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
    most: usize,
) -> Vec<&'c str> {
    let folded = name.to_lowercase();
    let rank = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let is_part = !folded.is_empty()
            && !candidate.is_empty()
            && (candidate.contains(&folded) || folded.contains(&candidate));
        let alike = candidate.chars().zip(folded.chars()).take_while(|(left, right)| left == right).count();
        std::cmp::Reverse((is_part, alike))
    };
    let mut ranked: Vec<&str> = candidates.into_iter().collect();
    ranked.sort_by_cached_key(|candidate| rank(candidate));
    ranked.truncate(most);
    ranked
}

/// What is said after "there is no function", or operator, of this name that is near to none of `candidates`: what it is
/// called here if another query language has it, else those that are most alike.
pub(crate) fn there_is_instead<'c>(
    name: &str,
    elsewhere: &[(&str, &'static str)],
    candidates: impl IntoIterator<Item = &'c str>,
) -> String {
    let folded = name.to_lowercase();
    if let Some((_, instead)) = elsewhere.iter().find(|(other, _)| *other == folded) {
        return format!("; write {instead}");
    }
    let first = folded.chars().next();
    let is_alike = |candidate: &&str| first.is_some_and(|first| candidate.starts_with(first));
    let is_part = |candidate: &&str| candidate.contains(&folded) || folded.contains(*candidate);
    let alike = candidates.into_iter().filter(|candidate| is_alike(candidate) || is_part(candidate));
    match likely(name, alike, MOST_ALIKE)[..] {
        [] => "; the reference of KQL has those that there are".to_owned(),
        ref alike => format!("; there are {}, and those of the reference of KQL", alike.join(", ")),
    }
}

/// What SQL and other query languages call the operators, and what stands for them here.
pub(crate) const OPERATORS_ELSEWHERE: &[(&str, &str)] = &[
    ("select", "project for columns, where for rows"),
    ("columns", "project"),
    ("fields", "project"),
    ("table", "project"),
    ("from", "the table's name at the beginning of the query"),
    ("having", "where after summarize"),
    ("group", "summarize … by …"),
    ("groupby", "summarize … by …"),
    ("stats", "summarize … by …"),
    ("aggregate", "summarize … by …"),
    ("timechart", "summarize … by bin(TimeGenerated, 1h), and render timechart"),
    ("orderby", "sort by"),
    ("head", "take"),
    ("first", "take"),
    ("tail", "top … by …"),
    ("offset", "extend n = row_number() after sort, and where n > …"),
    ("dedup", "distinct"),
    ("uniq", "distinct"),
    ("eval", "extend"),
    ("rename", "project-rename"),
    ("drop", "project-away"),
    ("rex", "parse, or extend with extract(…)"),
    ("append", "union"),
    ("with", "let NAME = …; before the query"),
];

/// What SQL and other query languages call the functions, and what stands for them here.
pub(crate) const FUNCTIONS_ELSEWHERE: &[(&str, &str)] = &[
    ("len", "strlen(…)"),
    ("length", "strlen(…)"),
    ("lower", "tolower(…)"),
    ("lcase", "tolower(…)"),
    ("upper", "toupper(…)"),
    ("ucase", "toupper(…)"),
    ("substr", "substring(…)"),
    ("left", "substring(text, 0, length)"),
    ("concat", "strcat(…)"),
    ("if", "iff(…)"),
    ("ifnull", "coalesce(…)"),
    ("nvl", "coalesce(…)"),
    ("nullif", "iff(…)"),
    ("mean", "avg(…)"),
    ("median", "percentile(…, 50)"),
    ("first", "arg_min(TimeGenerated, …)"),
    ("last", "arg_max(TimeGenerated, …)"),
    ("values", "make_set(…)"),
    ("list", "make_list(…)"),
    ("group_concat", "strcat_array(make_list(…), \", \")"),
    ("string_agg", "strcat_array(make_list(…), \", \")"),
    ("contains", "text contains \"…\", with the word between the two"),
    ("like", "text contains \"…\", or text matches regex \"…\""),
    ("instr", "indexof(…)"),
    ("cast", "tostring(…), tolong(…), toreal(…) or todatetime(…)"),
    ("convert", "tostring(…), tolong(…), toreal(…) or todatetime(…)"),
    ("str", "tostring(…)"),
    ("date", "startofday(…)"),
    ("date_trunc", "bin(moment, 1d)"),
    ("dateadd", "datetime_add(…)"),
    ("datediff", "datetime_diff(…)"),
    ("year", "getyear(…)"),
    ("month", "getmonth(…)"),
    ("day", "dayofmonth(…)"),
    ("hour", "hourofday(…)"),
    ("current_timestamp", "now()"),
    ("getdate", "now()"),
    ("sysdate", "now()"),
    ("basename", "extract(@'[^/]+$', 0, path)"),
    ("ceil", "ceiling(…)"),
    ("ln", "log(…)"),
    ("power", "pow(…)"),
];

/// How many names are shown that are alike.
const MOST_ALIKE: usize = 3;

/// How many characters must be put in, left out, replaced or swapped with their neighbour (Damerau's distance,
/// each place touched once). Gives more than `limit` as soon as that is certain.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut fewest = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                fewest = fewest.min(before_last[j - 2] + 1);
            }
            row.push(fewest);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// What is said of a part of the language that does not run: what to write instead, or where to see what there is.
pub(crate) fn not_yet(what: &str, instead: &str) -> String {
    match instead {
        "" => format!(
            "{what} is not supported yet; what is stands in the reference of KQL and at /api/v1/query/capabilities"
        ),
        instead => format!("{what} is not supported yet; {instead}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, candidates: &[&str], expected: Option<&str>) {
        assert_eq!(nearest(name, candidates.iter().copied()).as_deref(), expected, "{name}");
    }

    #[test]
    fn a_typing_mistake_finds_the_name() {
        check("sumarize", &["summarize", "sort"], Some("summarize"));
        check("Comptuer", &["Computer", "Compute"], Some("Computer"));
        check("computer", &["Computer"], Some("Computer"));
    }

    #[test]
    fn a_name_that_is_near_to_none_finds_those_that_contain_it_or_begin_alike() {
        let columns = ["Computer", "FieldsChanged", "FileSystemPath", "Size"];
        assert_eq!(likely("path", columns, 2), ["FileSystemPath", "Computer"]);
        assert_eq!(likely("Foo", columns, 2), ["FieldsChanged", "FileSystemPath"]);
        assert_eq!(likely("", columns, 1), ["Computer"]);
    }

    #[test]
    fn a_name_of_another_language_finds_what_stands_for_it_here() {
        let there_is = |name: &str| there_is_instead(name, OPERATORS_ELSEWHERE, ["where", "take", "top"]);
        assert_eq!(there_is("SELECT"), "; write project for columns, where for rows");
        assert_eq!(there_is("tttt"), "; there are take, top, and those of the reference of KQL");
        assert_eq!(there_is("qqq"), "; the reference of KQL has those that there are");
    }

    #[test]
    fn what_stands_for_another_languages_name_is_there_and_that_name_is_not() {
        for (name, instead) in OPERATORS_ELSEWHERE {
            assert!(crate::operators::find(name).is_none(), "{name}");
            assert!(!instead.is_empty(), "{name}");
        }
        let is_there = |name: &str| {
            crate::registry::function(name).is_some()
                || crate::registry::aggregate(name).is_some()
                || crate::registry::window(name).is_some()
        };
        for (name, instead) in FUNCTIONS_ELSEWHERE {
            assert!(!is_there(name), "{name}");
            for (call, _) in instead.match_indices('(') {
                let before = &instead[..call];
                let start =
                    before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
                assert!(is_there(&before[start..]), "{name}: {instead}");
            }
        }
    }

    #[test]
    fn a_name_that_is_far_from_all_suggests_nothing() {
        check("banana", &["Computer", "Size"], None);
        check("x", &["ab"], None);
        check("", &["a"], None);
    }
}
