//! The rows of a table in a database of SQLite, in the format that its authors describe and keep.

use std::collections::BTreeSet;

use super::header::{Prefix, damaged};
use super::number_at;
use super::pages::Pages;
use crate::tree::{FileTree, TreeError};

/// Hands the second column of each row of a table, which must be a blob, to `take`.
pub(super) fn second_column<T: FileTree>(
    pages: &Pages<'_, '_, T>,
    table: &str,
    mut take: impl FnMut(Blob<'_, '_, '_, T>) -> Result<(), TreeError>,
) -> Result<(), TreeError> {
    let mut root = None;
    rows(pages, SCHEMA_PAGE, |mut payload| {
        if root.is_none() {
            root = table_root(&mut payload, table)?;
        }
        Ok(())
    })?;
    let root = root.ok_or_else(|| damaged(&format!("it has no table {table}")))?;
    rows(pages, root, |payload| {
        let blob = payload.column(1)?.filter(|column| column.is_blob() && column.at <= MOST_BEFORE_BLOB);
        let column = blob.ok_or_else(|| damaged(&format!("a row of the table {table} has no blob")))?;
        take(Blob { payload, at: column.at, bytes: column.bytes })
    })
}

/// A blob in a row.
pub(super) struct Blob<'p, 'd, 't, T: FileTree> {
    payload: Payload<'p, 'd, 't, T>,
    at: usize,
    bytes: usize,
}

impl<T: FileTree> Prefix for Blob<'_, '_, '_, T> {
    fn total(&self) -> usize {
        self.bytes
    }

    fn up_to(&mut self, bytes: usize) -> Result<&[u8], TreeError> {
        let end = self.at + bytes.min(self.bytes);
        Ok(&self.payload.up_to(end)?[self.at..end])
    }
}

/// Where the table is, if the row of the schema is about it.
fn table_root<T: FileTree>(
    payload: &mut Payload<'_, '_, '_, T>,
    table: &str,
) -> Result<Option<u32>, TreeError> {
    for (position, text) in [(0, "table"), (1, table)] {
        let column = payload.column(position)?.filter(|column| column.bytes == text.len());
        let Some(column) = column else { return Ok(None) };
        if payload.bytes_of(&column)? != text.as_bytes() {
            return Ok(None);
        }
    }
    let Some(column) = payload.column(3)?.filter(|column| column.bytes <= 4) else { return Ok(None) };
    let number = payload.bytes_of(&column)?;
    Ok(Some(number.iter().fold(0, |number, &byte| number << 8 | u32::from(byte))))
}

/// Goes through the rows of the tree whose root is that page.
fn rows<'p, 'd, 't, T: FileTree>(
    pages: &'p Pages<'d, 't, T>,
    root: u32,
    mut take: impl FnMut(Payload<'p, 'd, 't, T>) -> Result<(), TreeError>,
) -> Result<(), TreeError> {
    let mut ahead = vec![root];
    let mut seen = BTreeSet::new();
    while let Some(number) = ahead.pop() {
        if !seen.insert(number) {
            return Err(damaged(&format!("page {number} is in a table twice")));
        }
        let bytes = pages.page(number)?;
        let page = Page { bytes: &bytes, begin: if number == 1 { FIRST_PAGE_BEGIN } else { 0 } };
        let cells = page.cells(number)?;
        match page.byte(0) {
            Some(LEAF) => {
                for at in cells {
                    take(Payload::of_cell(pages, &bytes, at)?)?;
                }
            }
            Some(INTERIOR) => {
                let children: Option<Vec<u32>> = cells.map(|at| number_at(&bytes, at)).collect();
                let last = number_at(&bytes, page.begin + 8);
                let (Some(children), Some(last)) = (children, last) else {
                    return Err(damaged(&format!("page {number} of a table ends early")));
                };
                ahead.push(last);
                ahead.extend(children.into_iter().rev());
            }
            _ => return Err(damaged(&format!("page {number} is of no table"))),
        }
    }
    Ok(())
}

/// A page of a table's tree.
struct Page<'b> {
    bytes: &'b [u8],
    begin: usize,
}

impl<'b> Page<'b> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(self.begin + at).copied()
    }

    /// Where the cells are.
    fn cells(&self, number: u32) -> Result<impl Iterator<Item = usize> + use<'b>, TreeError> {
        let head_bytes = if self.byte(0) == Some(INTERIOR) { 12 } else { 8 };
        let count = self.byte(3).zip(self.byte(4)).map_or(0, |(high, low)| u16::from_be_bytes([high, low]));
        let begin = self.begin + head_bytes;
        let places = self.bytes.get(begin..begin + 2 * usize::from(count));
        let places = places.ok_or_else(|| damaged(&format!("page {number} of a table ends early")))?;
        Ok(places.as_chunks::<2>().0.iter().map(|place| usize::from(u16::from_be_bytes(*place))))
    }
}

/// What a row holds. What does not fit into its page goes on in a chain of others, which is only followed as far as is
/// asked for.
struct Payload<'p, 'd, 't, T: FileTree> {
    pages: &'p Pages<'d, 't, T>,
    total: usize,
    known: Vec<u8>,
    next: u32,
}

impl<'p, 'd, 't, T: FileTree> Payload<'p, 'd, 't, T> {
    fn of_cell(pages: &'p Pages<'d, 't, T>, page: &[u8], at: usize) -> Result<Self, TreeError> {
        let cut = || damaged("a row ends early");
        let (total, length) = varint(page, at).ok_or_else(cut)?;
        let (_row, row_length) = varint(page, at + length).ok_or_else(cut)?;
        let total = usize::try_from(total).ok().filter(|total| *total <= MOST_ROW_BYTES);
        let total = total.ok_or_else(|| damaged("a row is longer than any can be"))?;
        let begin = at + length + row_length;
        let here = bytes_in_page(total, pages.usable_bytes());
        let known = page.get(begin..begin + here).ok_or_else(cut)?.to_vec();
        let next = if here < total { number_at(page, begin + here).ok_or_else(cut)? } else { 0 };
        Ok(Self { pages, total, known, next })
    }

    fn up_to(&mut self, bytes: usize) -> Result<&[u8], TreeError> {
        if bytes > self.total {
            return Err(damaged("a row ends early"));
        }
        while self.known.len() < bytes {
            let page = self.pages.page(self.next)?;
            let (next, more) = page.split_first_chunk().ok_or_else(|| damaged("a row ends early"))?;
            self.next = u32::from_be_bytes(*next);
            self.known.extend_from_slice(&more[..more.len().min(self.total - self.known.len())]);
        }
        Ok(&self.known)
    }

    /// The column at that position; nothing if the row has fewer.
    fn column(&self, position: usize) -> Result<Option<Column>, TreeError> {
        let begin = self.known.as_slice();
        let cut = || damaged("a row has no columns");
        let (head_bytes, mut at) = varint(begin, 0).ok_or_else(cut)?;
        let head_bytes = usize::try_from(head_bytes).unwrap_or(usize::MAX);
        let mut content = head_bytes;
        for column in 0.. {
            if at >= head_bytes {
                break;
            }
            let (serial, length) = varint(begin, at).ok_or_else(cut)?;
            let bytes = bytes_of_value(serial).ok_or_else(cut)?;
            if column == position {
                let end = content.checked_add(bytes).filter(|end| *end <= self.total);
                end.ok_or_else(|| damaged("a row ends early"))?;
                return Ok(Some(Column { serial, at: content, bytes }));
            }
            content = content.checked_add(bytes).ok_or_else(cut)?;
            at += length;
        }
        Ok(None)
    }

    fn bytes_of(&mut self, column: &Column) -> Result<&[u8], TreeError> {
        let end = column.at + column.bytes;
        Ok(&self.up_to(end)?[column.at..end])
    }
}

/// A column of a row.
struct Column {
    serial: u64,
    at: usize,
    bytes: usize,
}

impl Column {
    fn is_blob(&self) -> bool {
        self.serial >= 12 && self.serial.is_multiple_of(2)
    }
}

/// How much of a row of that length is in its page.
fn bytes_in_page(total: usize, usable: usize) -> usize {
    let most = usable - 35;
    if total <= most {
        return total;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let fitting = least + (total - least) % (usable - 4);
    if fitting <= most { fitting } else { least }
}

/// How long a value of that type is; nothing if there is no such type.
fn bytes_of_value(serial: u64) -> Option<usize> {
    match serial {
        0 | 8 | 9 => Some(0),
        1..=4 => usize::try_from(serial).ok(),
        5 => Some(6),
        6 | 7 => Some(8),
        10 | 11 => None,
        _ => usize::try_from((serial - 12) / 2).ok(),
    }
}

/// A number of one to nine bytes, and of how many.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let bytes = bytes.get(at..)?;
    let mut value = 0;
    for (position, &byte) in bytes.iter().take(8).enumerate() {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value, position + 1));
        }
    }
    bytes.get(8).map(|&byte| (value << 8 | u64::from(byte), 9))
}

const SCHEMA_PAGE: u32 = 1;
/// Before the blob there is a number only.
const MOST_BEFORE_BLOB: usize = 64;
/// The first page begins with what is said of the whole database.
const FIRST_PAGE_BEGIN: usize = 100;
const LEAF: u8 = 13;
const INTERIOR: u8 = 5;
/// What SQLite itself accepts.
const MOST_ROW_BYTES: usize = i32::MAX as usize;
