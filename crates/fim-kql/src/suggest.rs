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
    fn a_name_that_is_far_from_all_suggests_nothing() {
        check("banana", &["Computer", "Size"], None);
        check("x", &["ab"], None);
        check("", &["a"], None);
    }
}
