//! Counts of changes: by type, category, machine and time.

use std::collections::{BTreeMap, HashMap};

use fim_core::Timestamp;

use super::literal;
use super::table::{ReportError, Table};
use super::timespan::Range;
use crate::api::model::{ChangeCategory, HistogramStep, TrendStep, Watched};
use crate::clock::Moment;

/// Counts of a period.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// All changes.
    pub total: u64,
    /// By `ConfigChangeType`.
    pub by_type: BTreeMap<String, u64>,
    /// By `ChangeCategory`.
    pub by_category: BTreeMap<String, u64>,
    /// By time.
    pub histogram: Vec<HistogramStep>,
}

/// Counts of one machine.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MachineFigures {
    /// All changes.
    pub total: u64,
    /// Changes of files.
    pub files: u64,
    /// Changes of registry keys and values.
    pub registry: u64,
    /// Changes of services and daemons.
    pub services: u64,
    /// Changes of software.
    pub software: u64,
    /// By time, in steps of equal length.
    pub trend: Vec<u64>,
}

/// The query of [`read_figures`].
pub fn figures_query(range: Range, step_seconds: u64) -> String {
    format!(
        "{CHANGES}{}| summarize Changes = count() by ConfigChangeType, ChangeCategory, Step = bin(TimeGenerated, {step_seconds}s)\n",
        within(range)
    )
}

/// Counts of a period, with every step of the histogram, also those without changes.
pub fn read_figures(table: &Table, range: Range, step_seconds: u64) -> Result<Figures, ReportError> {
    let mut figures = Figures::default();
    for category in ["Added", "Modified", "Removed"] {
        figures.by_category.insert(category.to_owned(), 0);
    }
    let mut steps: BTreeMap<Timestamp, HistogramStep> =
        steps(range, step_seconds).map(|start| (start, empty_step(start))).collect();
    for row in table.rows() {
        let changes = row.count("Changes")?;
        let start = row.time("Step")?.0;
        let category: ChangeCategory = row.word("ChangeCategory")?;
        figures.total += changes;
        *figures.by_type.entry(row.text("ConfigChangeType")?.to_owned()).or_default() += changes;
        *figures.by_category.entry(row.text("ChangeCategory")?.to_owned()).or_default() += changes;
        let step = steps.entry(start).or_insert_with(|| empty_step(start));
        match category {
            ChangeCategory::Added => step.added += changes,
            ChangeCategory::Modified => step.modified += changes,
            ChangeCategory::Removed => step.removed += changes,
        }
    }
    figures.histogram = steps.into_values().collect();
    Ok(figures)
}

/// Says of each step how much of it was watched; what of it is outside of the period does not count.
pub fn tell_watched(
    histogram: &mut [HistogramStep],
    range: Range,
    step_seconds: u64,
    watched: impl Fn(Range) -> Option<Watched>,
) {
    let length = crate::clock::seconds_to_nanos(step_seconds.max(1));
    for step in histogram {
        let (from, to) = (step.t.0.max(range.from), step.t.0.plus_nanos(length).min(range.to));
        step.watched = watched(Range { from, to });
    }
}

/// The query for how many changes a period has; its one row has the column `Count`.
pub fn count_query(range: Range) -> String {
    format!("{CHANGES}{}| count\n", within(range))
}

/// The query of [`read_trend`].
pub fn trend_query(range: Range, steps: u32) -> String {
    format!("{CHANGES}{}| summarize {}\n", within(range), trend_columns(range, steps))
}

/// Counts of each of `steps` steps of equal length.
pub fn read_trend(table: &Table, steps: u32) -> Result<Vec<u64>, ReportError> {
    match table.rows().next() {
        Some(row) => (0..steps).map(|step| row.count(&format!("Step{step}"))).collect(),
        None => Ok(vec![0; steps as usize]),
    }
}

/// The query of [`read_machines`].
pub fn machines_query(range: Range, steps: u32) -> String {
    format!(
        "{CHANGES}{}| summarize Total = count(), Files = countif(ConfigChangeType == \"Files\"), \
         Registry = countif(ConfigChangeType == \"Registry\"), \
         Services = countif(ConfigChangeType in (\"Daemons\", \"WindowsServices\")), \
         Software = countif(ConfigChangeType == \"Software\"), {} by SourceComputerId\n",
        within(range),
        trend_columns(range, steps)
    )
}

/// Counts by the machine's id.
pub fn read_machines(table: &Table, steps: u32) -> Result<HashMap<String, MachineFigures>, ReportError> {
    let machine = |row: super::table::Row<'_>| {
        let figures = MachineFigures {
            total: row.count("Total")?,
            files: row.count("Files")?,
            registry: row.count("Registry")?,
            services: row.count("Services")?,
            software: row.count("Software")?,
            trend: (0..steps).map(|step| row.count(&format!("Step{step}"))).collect::<Result<_, _>>()?,
        };
        Ok((row.text("SourceComputerId")?.to_owned(), figures))
    };
    table.rows().map(machine).collect()
}

/// How long a step of the histogram is, so that there are about 60 of them.
pub fn step_seconds(range: Range) -> u64 {
    let seconds = u64::try_from(range.to.nanos_since(range.from) / NANOS).unwrap_or(0);
    let wanted = seconds / 60;
    STEPS.into_iter().find(|step| *step >= wanted).unwrap_or_else(|| wanted.div_ceil(DAY) * DAY)
}

/// The condition that a row is of the period.
pub fn within(range: Range) -> String {
    format!(
        "| where TimeGenerated >= {} and TimeGenerated < {}\n",
        literal::moment(range.from),
        literal::moment(range.to)
    )
}

/// The counts of a trend's steps with how much of each was watched; without counts there are no changes.
pub fn tell_trend(
    counts: &[u64],
    range: Range,
    steps: u32,
    watched: impl Fn(Range) -> Option<Watched>,
) -> Vec<TrendStep> {
    let counts = counts.iter().copied().chain(std::iter::repeat(0));
    let step = |(step, changes)| TrendStep { changes, watched: watched(step) };
    trend_steps(range, steps).zip(counts).map(step).collect()
}

/// The steps of a trend, which are of equal length and cover the period.
fn trend_steps(range: Range, steps: u32) -> impl Iterator<Item = Range> {
    let length = range.to.nanos_since(range.from);
    let edge = move |step: u32| range.from.plus_nanos(length / i64::from(steps) * i64::from(step));
    (0..steps).map(move |step| {
        let to = if step + 1 == steps { range.to } else { edge(step + 1) };
        Range { from: edge(step), to }
    })
}

fn trend_columns(range: Range, steps: u32) -> String {
    let column = |(number, step): (usize, Range)| {
        format!(
            "Step{number} = countif(TimeGenerated >= {} and TimeGenerated < {})",
            literal::moment(step.from),
            literal::moment(step.to)
        )
    };
    trend_steps(range, steps).enumerate().map(column).collect::<Vec<_>>().join(", ")
}

/// The starts of the steps that cover the period; as `bin` cuts them, from the epoch.
fn steps(range: Range, step_seconds: u64) -> impl Iterator<Item = Timestamp> {
    let step = crate::clock::seconds_to_nanos(step_seconds.max(1));
    let first = range.from.0.div_euclid(step).saturating_mul(step);
    (0..MOST_STEPS)
        .map(move |number| Timestamp(first.saturating_add(step.saturating_mul(number))))
        .take_while(move |start| *start < range.to)
}

fn empty_step(start: Timestamp) -> HistogramStep {
    HistogramStep { t: Moment(start), modified: 0, added: 0, removed: 0, watched: None }
}

const CHANGES: &str = "ConfigurationChange\n";
const NANOS: i64 = 1_000_000_000;
const DAY: u64 = 86_400;
/// A period's steps are about 60; this is for whatever may come.
const MOST_STEPS: i64 = 1000;
/// Lengths of steps that people read well, in seconds.
const STEPS: [u64; 15] =
    [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, DAY, 2 * DAY, 7 * DAY];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::model::Column;

    const FROM: i64 = 1_800_000_000;

    fn range(seconds: i64) -> Range {
        Range { from: Timestamp(FROM * NANOS), to: Timestamp((FROM + seconds) * NANOS) }
    }

    #[test]
    fn steps_are_such_as_people_read_well() {
        assert_eq!(step_seconds(range(3600)), 60);
        assert_eq!(step_seconds(range(86_400)), 1800);
        assert_eq!(step_seconds(range(7 * 86_400)), 10_800);
        assert_eq!(step_seconds(range(30 * 86_400)), 43_200);
        assert_eq!(step_seconds(range(900 * 86_400)) % DAY, 0);
    }

    #[test]
    fn the_histogram_has_steps_without_changes_too() {
        let columns = ["ConfigChangeType", "ChangeCategory", "Step", "Changes"]
            .map(|name| Column { name: name.to_owned(), scalar_type: "string".to_owned() });
        let step = Moment(Timestamp((FROM + 300) * NANOS));
        let table = Table::new(&columns, vec![vec![json!("Files"), json!("Added"), json!(step), json!(3)]]);
        let figures = read_figures(&table, range(1200), 300).unwrap();
        assert_eq!(figures.total, 3);
        assert_eq!(figures.by_category["Modified"], 0);
        assert_eq!(figures.histogram.iter().map(|step| step.added).collect::<Vec<_>>(), [0, 3, 0, 0]);
    }

    #[test]
    fn the_steps_of_a_trend_cover_the_period_and_each_says_what_of_it_was_watched() {
        let judged = std::cell::RefCell::new(Vec::new());
        let trend = tell_trend(&[7], range(1000), 3, |step| {
            judged.borrow_mut().push((step.from.0 - FROM * NANOS, step.to.0 - FROM * NANOS));
            (step.from.0 == FROM * NANOS).then_some(Watched::Nothing)
        });
        let third = 1000 * NANOS / 3;
        assert_eq!(judged.into_inner(), [(0, third), (third, 2 * third), (2 * third, 1000 * NANOS)]);
        let told: Vec<_> = trend.iter().map(|step| (step.changes, step.watched)).collect();
        assert_eq!(told, [(7, Some(Watched::Nothing)), (0, None), (0, None)]);
    }

    #[test]
    fn a_step_is_judged_by_what_of_it_is_in_the_period() {
        let range = Range { from: Timestamp((FROM + 30) * NANOS), to: Timestamp((FROM + 150) * NANOS) };
        let mut histogram: Vec<HistogramStep> = steps(range, 60).map(empty_step).collect();
        let judged = std::cell::RefCell::new(Vec::new());
        tell_watched(&mut histogram, range, 60, |step| {
            judged.borrow_mut().push((step.from.0 / NANOS - FROM, step.to.0 / NANOS - FROM));
            Some(Watched::Part)
        });
        assert_eq!(judged.into_inner(), [(30, 60), (60, 120), (120, 150)]);
        assert!(histogram.iter().all(|step| step.watched == Some(Watched::Part)));
    }
}
