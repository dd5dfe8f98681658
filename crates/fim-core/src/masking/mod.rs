//! Takes secrets in known formats out of a text, so that what is shown of a change gives none of them away.
//!
//! A text is read once, line by line. Where it is not sure whether something is a secret, it is taken for one.

mod accounts;
mod blocks;
mod keys;
mod pairs;
mod text;
mod tokens;

use std::fmt::Write as _;
use std::ops::Range;

use blocks::Reader;
pub use text::text_of;

/// The text with a mark in the place of each secret; everything else stays byte for byte, and every line where it is.
///
/// `mark` gives a secret's mark. It should be keyed: then equal secrets have equal marks, which shows whether a secret
/// was changed, and nobody without the key can tell by a mark whether a guess is right.
pub fn mask(text: &str, mark: impl Fn(&[u8]) -> u32) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut reader = Reader::of(text);
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let mut secrets = Spans::default();
        reader.read(content, &mut secrets);
        secrets.put(content, &mark, &mut masked);
        masked.push_str(&line[content.len()..]);
    }
    masked
}

/// Where a line has secrets.
#[derive(Debug, Default)]
struct Spans(Vec<Range<usize>>);

impl Spans {
    /// Adds a stretch; spaces around it are left out.
    fn add(&mut self, line: &str, range: Range<usize>) {
        let Some(text) = line.get(range.clone()) else { return };
        let start = range.start + (text.len() - text.trim_start().len());
        let length = text.trim().len();
        if length > 0 {
            self.0.push(start..start + length);
        }
    }

    fn put(mut self, line: &str, mark: impl Fn(&[u8]) -> u32, masked: &mut String) {
        self.0.sort_unstable_by_key(|span| span.start);
        let mut done = 0;
        let mut spans = self.0.into_iter().peekable();
        while let Some(mut span) = spans.next() {
            // Several formats may have seen the same secret.
            while let Some(next) = spans.next_if(|next| next.start < span.end) {
                span.end = span.end.max(next.end);
            }
            masked.push_str(&line[done..span.start]);
            let _ = write!(masked, "[masked:{:08x}]", mark(&line.as_bytes()[span.clone()]));
            done = span.end;
        }
        masked.push_str(&line[done..]);
    }
}
