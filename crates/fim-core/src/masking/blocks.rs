//! Secrets of several lines: private keys, blocks below a name, elements, and data of a Kubernetes secret.

use super::Spans;
use super::pairs::{find_close, indent, outside_tags};
use super::{accounts, pairs, tokens};

/// What of a secret goes on in the next lines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Block {
    /// A private key, until the line that ends it.
    Key,
    /// So many lines.
    Lines(usize),
    /// All that stands deeper than this.
    Deeper { indent: usize },
    /// The value is in the next line, or a list below.
    Below { indent: usize },
    /// The items of a list, until it is closed.
    List,
    /// The text of an element, until it is closed.
    Element { name: String },
}

/// Reads a text line by line, and remembers what goes on.
#[derive(Debug)]
pub(super) struct Reader {
    is_cluster_secret: bool,
    /// How deep the data of a Kubernetes secret stands.
    data_indent: Option<usize>,
    is_named: bool,
    block: Option<Block>,
}

impl Reader {
    /// A reader at the beginning of the text.
    pub(super) fn of(text: &str) -> Self {
        let is_cluster_secret = text.lines().any(|line| {
            let mut signs = line.bytes().filter(|byte| !b" \t\"',{".contains(byte));
            let plain: Vec<u8> = signs.by_ref().take(CLUSTER_SECRET.len()).collect();
            (plain == CLUSTER_SECRET && signs.next().is_none())
                || line.contains("\"kind\":\"Secret\"")
                || line.contains("\"kind\": \"Secret\"")
        });
        Self { is_cluster_secret, data_indent: None, is_named: false, block: None }
    }

    /// Finds the secrets of the next line.
    pub(super) fn read(&mut self, line: &str, secrets: &mut Spans) {
        if let Some(block) = self.block.take()
            && self.go_on(block, line, secrets)
        {
            return;
        }
        self.cluster_data(line, secrets);
        self.begin_key(line, secrets);
        accounts::find(line, secrets);
        tokens::find(line, secrets);
        let block = pairs::find(line, &mut self.is_named, secrets);
        self.block = self.block.take().or(block);
    }

    /// Takes the line as one of the block; false if it is not.
    fn go_on(&mut self, block: Block, line: &str, secrets: &mut Spans) -> bool {
        let is_blank = line.trim().is_empty();
        let whole = 0..line.len();
        match block {
            Block::Key => {
                match end_of_key(line) {
                    Some(end) => secrets.add(line, 0..end),
                    None => {
                        secrets.add(line, whole);
                        self.block = Some(Block::Key);
                    }
                }
                true
            }
            Block::Lines(left) => {
                secrets.add(line, whole);
                self.block = left.checked_sub(2).map(|left| Block::Lines(left + 1));
                true
            }
            Block::Deeper { indent: above } => {
                let is_in = is_blank || indent(line) > above;
                if is_in {
                    secrets.add(line, whole);
                    self.block = Some(Block::Deeper { indent: above });
                }
                is_in
            }
            Block::Below { indent: above } => self.below(above, line, secrets),
            Block::List => {
                let close = line.find(']');
                secrets.add(line, 0..close.unwrap_or(line.len()));
                self.block = close.is_none().then_some(Block::List);
                true
            }
            Block::Element { name } => {
                let close = find_close(line, &name);
                outside_tags(line, 0..close.unwrap_or(line.len()), secrets);
                self.block = close.is_none().then_some(Block::Element { name });
                true
            }
        }
    }

    /// What stands below a name without a value: a value in quotes, items of a list, or names of their own.
    fn below(&mut self, above: usize, line: &str, secrets: &mut Spans) -> bool {
        let text = line.trim_start();
        let start = line.len() - text.len();
        if text.is_empty() || text.starts_with('#') {
            self.block = Some(Block::Below { indent: above });
            return text.is_empty();
        }
        if text.starts_with(['"', '\'']) && !text.contains("\":") && !text.contains("':") {
            secrets
                .add(line, start + 1..line.len() - usize::from(text.trim_end_matches([',', ';']).len() > 1));
            return true;
        }
        if text.starts_with("- ") && indent(line) >= above {
            self.block = Some(Block::Below { indent: above });
            let item = &text[2..];
            if item.contains(": ") || item.ends_with(':') {
                return false;
            }
            secrets.add(line, start + 2..line.len());
            return true;
        }
        // A value that is folded over lines stands deeper, and has no name in it.
        if indent(line) > above && !text.contains([':', '=', '<', '{', '[']) {
            secrets.add(line, start..line.len());
            self.block = Some(Block::Below { indent: above });
            return true;
        }
        false
    }

    fn begin_key(&mut self, line: &str, secrets: &mut Spans) {
        if let Some(lines) = line.strip_prefix("Private-Lines:").and_then(|count| count.trim().parse().ok()) {
            self.block = Some(Block::Lines(lines)).filter(|_| lines > 0);
            return;
        }
        let mut from = 0;
        while let Some(found) = line[from..].find(KEY) {
            let start = from + found + KEY.len();
            from = start;
            let before = &line.as_bytes()[..start - KEY.len()];
            let begins = before
                .rchunks(LONGEST_KIND)
                .next()
                .is_some_and(|near| near.windows(BEGIN.len()).any(|window| window == BEGIN));
            if !begins {
                continue;
            }
            let end = end_of_key(&line[start..]).map(|end| start + end);
            let rest = line[start..end.unwrap_or(line.len())].trim_start_matches(" BLOCK");
            let is_body = has_body(rest);
            if is_body {
                secrets.add(line, end.unwrap_or(line.len()) - rest.len()..end.unwrap_or(line.len()));
            }
            // A line that only speaks of a key, as in a script, begins none.
            let is_bare = !rest.bytes().any(|byte| byte.is_ascii_alphanumeric());
            if end.is_none() && (is_body || is_bare) {
                self.block = Some(Block::Key);
            }
            match end {
                Some(end) => from = end,
                None => return,
            }
        }
    }

    /// All values of a Kubernetes secret are secret, whatever their names.
    fn cluster_data(&mut self, line: &str, secrets: &mut Spans) {
        let text = line.trim();
        if !self.is_cluster_secret || text.is_empty() {
            return;
        }
        let indent = indent(line);
        if self.data_indent.is_some_and(|above| indent <= above) {
            self.data_indent = None;
        }
        let name = text.trim_start_matches(['"', '{', ' ']);
        if let Some(rest) = name.strip_prefix("data").or_else(|| name.strip_prefix("stringData"))
            && matches!(rest.trim_end_matches('{').trim(), ":" | "\":")
        {
            self.data_indent = Some(indent);
            return;
        }
        if self.data_indent.is_some()
            && let Some(colon) = line.find(':')
        {
            let value = line[colon + 1..].trim();
            if value.starts_with(['|', '>']) && value.len() <= 3 {
                self.block = Some(Block::Deeper { indent });
            } else if !matches!(value, "{" | "") {
                secrets.add(line, colon + 1..line.len());
            }
        }
        // In one line.
        for name in ["\"data\":", "\"stringData\":"] {
            if let Some(at) = line.find(name)
                && line[at + name.len()..].trim_start().starts_with('{')
            {
                let start = at + name.len() + line[at + name.len()..].find('{').unwrap_or(0) + 1;
                let end = line[start..].find('}').map_or(line.len(), |length| start + length);
                secrets.add(line, start..end);
            }
        }
    }
}

/// Where the mark begins that ends a private key.
fn end_of_key(line: &str) -> Option<usize> {
    let end = line.find("END ").filter(|end| line[*end..].contains(KEY))?;
    Some(line[..end].trim_end_matches(['-', ' ']).len())
}

/// True if the text has a stretch that may be of a key.
fn has_body(text: &str) -> bool {
    let is_of_key = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    text.as_bytes().split(|byte| !is_of_key(*byte)).any(|run| run.len() >= LEAST_BODY)
}

const KEY: &str = "PRIVATE KEY";
const BEGIN: &[u8] = b"BEGIN ";
const CLUSTER_SECRET: &[u8] = b"kind:Secret";
/// The longest name of a kind of private key: `SSH2 ENCRYPTED`.
const LONGEST_KIND: usize = 40;
const LEAST_BODY: usize = 16;
