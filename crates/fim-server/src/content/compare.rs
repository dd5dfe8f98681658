//! How two texts differ, line by line.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};
use utoipa::ToSchema;

/// How two texts differ.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Compared {
    /// The stretches that differ, in order.
    pub hunks: Vec<Hunk>,
    /// True if there are more than are told.
    pub is_cut: bool,
}

/// A stretch that differs, with some lines around it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hunk {
    /// The number of its first line before, from 1; 0 if it has none.
    pub before_start: usize,
    /// How many lines it has before.
    pub before_lines: usize,
    /// The number of its first line after, from 1; 0 if it has none.
    pub after_start: usize,
    /// How many lines it has after.
    pub after_lines: usize,
    /// The lines in order.
    pub lines: Vec<Line>,
}

/// A line of a stretch.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// On which side it is.
    pub kind: LineKind,
    /// What it says, without its end.
    pub text: String,
    /// True if the text ends with it and has no line break there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unended: bool,
}

/// On which side a line is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// On both.
    Same,
    /// Only before.
    Removed,
    /// Only after.
    Added,
}

/// Compares two texts. What is told of is bounded, and so is the time to find the shortest way to tell it.
pub fn compare(before: &str, after: &str) -> Compared {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
    let mut compared = Compared::default();
    let mut bytes = 0;
    for group in diff.grouped_ops(AROUND) {
        let mut hunk =
            Hunk { before_start: 0, before_lines: 0, after_start: 0, after_lines: 0, lines: Vec::new() };
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = change.value();
            bytes += line.len() + LINE_BYTES;
            if bytes > MOST_BYTES {
                compared.is_cut = true;
                break;
            }
            let kind = match change.tag() {
                ChangeTag::Equal => LineKind::Same,
                ChangeTag::Delete => LineKind::Removed,
                ChangeTag::Insert => LineKind::Added,
            };
            hunk.count(change.old_index(), change.new_index());
            let text = line.strip_suffix('\n').unwrap_or(line).to_owned();
            hunk.lines.push(Line { kind, text, is_unended: !line.ends_with('\n') });
        }
        if !hunk.lines.is_empty() {
            compared.hunks.push(hunk);
        }
        if compared.is_cut {
            break;
        }
    }
    compared
}

impl Hunk {
    fn count(&mut self, before: Option<usize>, after: Option<usize>) {
        for (at, start, lines) in [
            (before, &mut self.before_start, &mut self.before_lines),
            (after, &mut self.after_start, &mut self.after_lines),
        ] {
            if let Some(at) = at {
                *start = if *lines == 0 { at + 1 } else { *start };
                *lines += 1;
            }
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(2);
/// Lines that are the same before and behind each difference.
const AROUND: usize = 3;
/// What a line costs besides its text.
const LINE_BYTES: usize = 64;
const MOST_BYTES: usize = 2 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, after: &str) -> String {
        let hunks = compare(before, after).hunks;
        let line = |line: &Line| {
            let sign = match line.kind {
                LineKind::Same => ' ',
                LineKind::Removed => '-',
                LineKind::Added => '+',
            };
            format!("{sign}{}{}", line.text, if line.is_unended { "$" } else { "" })
        };
        let hunk = |hunk: &Hunk| {
            let lines: Vec<String> = hunk.lines.iter().map(line).collect();
            format!(
                "{},{} {},{}|{}",
                hunk.before_start,
                hunk.before_lines,
                hunk.after_start,
                hunk.after_lines,
                lines.join("|")
            )
        };
        hunks.iter().map(hunk).collect::<Vec<_>>().join("||")
    }

    #[test]
    fn what_differs_is_told_with_the_lines_around_it() {
        assert_eq!(told("a\nb\nc\n", "a\nx\nc\n"), "1,3 1,3| a|-b|+x| c");
        assert_eq!(told("", "a\n"), "0,0 1,1|+a");
        assert_eq!(told("a", "a\n"), "1,1 1,1|-a$|+a");
        assert_eq!(told("a\n", "a\n"), "");
        let many: Vec<String> = (0..30).map(|number| number.to_string()).collect();
        let before = many.join("\n");
        let after = before.replace("\n5\n", "\nfive\n").replace("\n25\n", "\n");
        assert_eq!(
            told(&before, &after),
            "3,7 3,7| 2| 3| 4|-5|+five| 6| 7| 8||23,7 23,6| 22| 23| 24|-25| 26| 27| 28"
        );
    }

    #[test]
    fn a_difference_without_end_is_cut_and_says_so() {
        let compared = compare("", &"line\n".repeat(100_000));
        assert!(compared.is_cut);
        assert!(compared.hunks[0].lines.len() < 100_000);
    }
}
