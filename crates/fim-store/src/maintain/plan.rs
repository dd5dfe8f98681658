//! Which files to merge next, and which are too old; pure.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use crate::delta::DataFile;

/// How files are merged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MergeOptions {
    /// The size that merged files should have, in bytes. A file of half of it is large enough to be left alone.
    pub(crate) target_bytes: u64,
    /// So many files of one size class of a day that still fills are merged.
    pub(crate) fan_in: usize,
    /// No more files than this at once, which bounds the memory of a merge.
    pub(crate) max_inputs: usize,
}

impl Default for MergeOptions {
    fn default() -> Self {
        Self { target_bytes: 256 << 20, fan_in: 8, max_inputs: 16 }
    }
}

/// The files of one day that are best merged now, two or more; `None` if the table is in order. The newest days come
/// first, because most queries ask for them.
///
/// A day that still fills is merged by size classes, a factor of eight each: a row is then rewritten once a class,
/// however often the table is flushed. In a day that is over, a file is merged with smaller ones that together are at
/// least a quarter of it: so a late record does not rewrite the day, and a day ends with a handful of files.
pub(crate) fn next_merge(
    files: &[DataFile],
    today: NaiveDate,
    options: &MergeOptions,
) -> Option<Vec<DataFile>> {
    let mut days: BTreeMap<NaiveDate, Vec<&DataFile>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.size < options.target_bytes / 2) {
        days.entry(file.day).or_default().push(file);
    }
    days.into_iter().rev().find_map(|(day, mut small)| {
        // By path among equals, so that the choice does not depend on the order of the list.
        small.sort_by(|left, right| (left.size, &left.path).cmp(&(right.size, &right.path)));
        let chosen = if day == today { one_class(&small, options) } else { leading(&small) };
        let chosen = &chosen[..chosen.len().min(options.max_inputs)];
        (chosen.len() >= 2).then(|| chosen.iter().map(|&file| file.clone()).collect())
    })
}

/// The files of days before the first one that is to be kept.
pub(crate) fn expired(files: &[DataFile], today: NaiveDate, retention_days: u32) -> Vec<DataFile> {
    let Some(first_kept) = today.checked_sub_days(Days::new(u64::from(retention_days))) else {
        return Vec::new();
    };
    files.iter().filter(|file| file.day < first_kept).cloned().collect()
}

/// The files of the smallest size class that has enough of them; `small` is in order of size.
fn one_class<'f>(small: &'f [&'f DataFile], options: &MergeOptions) -> &'f [&'f DataFile] {
    let classes = small.chunk_by(|left, right| class(left.size) == class(right.size));
    classes.into_iter().find(|class| class.len() >= options.fan_in).unwrap_or_default()
}

fn class(size: u64) -> u32 {
    (size / SMALLEST_CLASS_BYTES).checked_ilog(CLASS_FACTOR).map_or(0, |class| class + 1)
}

/// The longest beginning in which each file is at most four times what is before it; `small` is in order of size.
fn leading<'f>(small: &'f [&'f DataFile]) -> &'f [&'f DataFile] {
    let mut sum = 0;
    let fits = |file: &&DataFile| {
        let fits = sum == 0 || file.size <= 4 * sum;
        sum += file.size;
        fits
    };
    let length = small.iter().copied().take_while(fits).count();
    // The smallest may be too small to take the next one with it, while those after it go well together.
    match length {
        1 if small.len() > 2 => leading(&small[1..]),
        _ => &small[..length],
    }
}

/// A file below this is mostly its own footer.
const SMALLEST_CLASS_BYTES: u64 = 512 << 10;
const CLASS_FACTOR: u64 = 8;

#[cfg(test)]
mod tests {
    use object_store::path::Path;
    use proptest::prelude::*;

    use super::*;

    const OPTIONS: MergeOptions = MergeOptions { target_bytes: 1 << 20, fan_in: 8, max_inputs: 16 };

    fn day(number: u64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(number)
    }

    fn file(name: &str, day: NaiveDate, size: u64) -> DataFile {
        DataFile { path: Path::from(name), size, rows: size, day, min_time: 0, max_time: 0 }
    }

    fn files(day: NaiveDate, sizes: &[u64]) -> Vec<DataFile> {
        sizes.iter().enumerate().map(|(index, &size)| file(&format!("{index}"), day, size)).collect()
    }

    /// Which sizes are merged of a day with these.
    fn check(today: NaiveDate, sizes: &[u64], expected: Option<&[u64]>) {
        let merged = next_merge(&files(day(5), sizes), today, &OPTIONS);
        let merged = merged.map(|files| files.iter().map(|file| file.size).collect::<Vec<_>>());
        assert_eq!(merged.as_deref(), expected, "{sizes:?}");
    }

    #[test]
    fn a_day_that_still_fills_waits_for_enough_files_of_one_size() {
        check(day(5), &[1_000; 7], None);
        check(day(5), &[1_000; 8], Some(&[1_000; 8]));
        check(day(5), &[1 << 19; 20], None);
    }

    #[test]
    fn a_day_that_is_over_is_put_together_but_not_for_one_late_record() {
        check(day(6), &[10, 20, 30], Some(&[10, 20, 30]));
        check(day(6), &[10, 400_000], None);
        check(day(6), &[10, 300_000, 400_000], Some(&[300_000, 400_000]));
        check(day(6), &[600_000, 700_000], None);
    }

    #[test]
    fn whole_days_go_and_the_first_kept_one_stays() {
        let table = [file("a", day(0), 1), file("b", day(1), 1), file("c", day(2), 1)];
        let names =
            |days| expired(&table, day(3), days).iter().map(|f| f.path.to_string()).collect::<Vec<_>>();
        assert_eq!(names(2), ["a"]);
        assert_eq!(names(1), ["a", "b"]);
        assert_eq!(names(30), [""; 0]);
        assert_eq!(names(u32::MAX), [""; 0]);
    }

    proptest! {
        /// Merging comes to an end, loses no bytes, never mixes days, and leaves a handful of small files a day.
        #[test]
        fn merging_ends_with_few_files(
            sizes in prop::collection::vec((0_u64..3, 1_u64..2_000_000), 0..200)
        ) {
            let mut table: Vec<_> = sizes.iter().enumerate()
                .map(|(index, &(number, size))| file(&format!("{index}"), day(number), size)).collect();
            let total: u64 = table.iter().map(|file| file.size).sum();
            let mut merges = 0;
            while let Some(inputs) = next_merge(&table, day(2), &OPTIONS) {
                merges += 1;
                prop_assert!(merges <= sizes.len(), "each merge leaves fewer files");
                prop_assert!((2..=OPTIONS.max_inputs).contains(&inputs.len()));
                prop_assert!(inputs.iter().all(|input| input.day == inputs[0].day));
                table.retain(|file| !inputs.contains(file));
                let mut left: u64 = inputs.iter().map(|input| input.size).sum();
                let mut part = 0;
                while left > 0 {
                    let size = left.min(OPTIONS.target_bytes);
                    table.push(file(&format!("merged-{merges}-{part}"), inputs[0].day, size));
                    (left, part) = (left - size, part + 1);
                }
            }
            prop_assert_eq!(table.iter().map(|file| file.size).sum::<u64>(), total);
            for number in 0..3 {
                let small = table.iter().filter(|f| f.day == day(number) && f.size < OPTIONS.target_bytes / 2);
                let most = if number == 2 { 7 * 3 } else { 12 };
                prop_assert!(small.count() <= most);
            }
        }
    }
}
