//! What was probably meant by a name that there is not.

/// The name nearest to what was `typed`, in any case, unless it is another word.
pub fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let by_distance = known.map(|known| (edit_distance(&typed, &known.to_lowercase()), known));
    let (distance, known) = by_distance.min()?;
    (distance <= 1 + typed.chars().count() / 3).then_some(known)
}

/// How many letters must be put in, taken out or exchanged to make one word of the other.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let exchanged = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = exchanged.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_and_another_word_finds_none() {
        let names = ["listen", "limits", "names"];
        let found = |typed: &str| nearest(typed, names.into_iter());
        assert_eq!(found("lisen"), Some("listen"));
        assert_eq!(found("LIMITS"), Some("limits"));
        assert_eq!(found("nmaes"), Some("names"));
        assert_eq!(found("colour"), None);
        assert_eq!(found("x"), None);
        assert_eq!(nearest("listen", std::iter::empty()), None);
    }
}
