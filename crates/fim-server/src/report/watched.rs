//! How much of a stretch of time was watched, so that a count of nought is never taken for a quiet machine.

use std::collections::HashMap;

use fim_core::Timestamp;

use super::literal;
use super::table::{ReportError, Table};
use super::timespan::Range;
use crate::api::model::Watched;
use crate::ingest::columns::{EVERYTHING, FILES, REGISTRY};

/// Until when what has not ended goes on.
pub const FOR_EVER: Timestamp = Timestamp(i64::MAX);

/// All that decides whether somebody was watching.
#[derive(Clone, Debug, Default)]
pub struct Watching {
    /// When machines were enrolled, by the machine's id.
    pub machines: Vec<(String, Range)>,
    /// When monitoring was on with a rule in force, in order and apart from each other.
    pub monitored: Vec<Range>,
    /// What was not watched all the same.
    pub gaps: Vec<Stretch>,
    /// Gaps that ended before this were too many to be read; `None` if all were read.
    pub unread_before: Option<Timestamp>,
}

/// When something was not watched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stretch {
    /// The machine's id; `None` of all machines at once.
    pub machine: Option<String>,
    /// How much of the machine was not.
    pub extent: Extent,
    /// From its start to its end, at which it touches what begins there; [`FOR_EVER`] while it goes on.
    pub range: Range,
}

/// How much of a machine a stretch is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extent {
    /// Everything.
    Everything,
    /// A large part: a list, or all files.
    Large,
    /// One path, and what is below it.
    Place,
}

impl Extent {
    /// What the columns `Scope` and `ConfigChangeType` tell.
    fn of_columns(scope: &str, change_type: &str) -> Self {
        match (scope, change_type) {
            (EVERYTHING, EVERYTHING) => Self::Everything,
            // All files, whether they are said to be all or to lie below the root.
            (EVERYTHING | "/", _) => Self::Large,
            (_, FILES | REGISTRY) => Self::Place,
            _ => Self::Large,
        }
    }
}

impl Watching {
    /// The same for each machine alone, by the machine's id.
    pub fn by_machine(&self) -> HashMap<&str, Self> {
        let mut gaps: HashMap<Option<&str>, Vec<Stretch>> = HashMap::new();
        for gap in &self.gaps {
            gaps.entry(gap.machine.as_deref()).or_default().push(gap.clone());
        }
        let of_all = gaps.remove(&None).unwrap_or_default();
        let alone = |(machine, enrolled): &(String, Range)| Self {
            machines: vec![(machine.clone(), *enrolled)],
            monitored: self.monitored.clone(),
            gaps: gaps.get(&Some(machine.as_str())).into_iter().flatten().chain(&of_all).cloned().collect(),
            unread_before: self.unread_before,
        };
        self.machines.iter().map(|machine| (machine.0.as_str(), alone(machine))).collect()
    }
}

/// The query of [`read`]: as that of the list of gaps, with what [`watched`] needs.
pub fn query(range: Range, most: usize) -> String {
    format!(
        "Coverage\n\
         | where StartTime < {to} and (isnull(EndTime) or EndTime >= {from})\n\
         | extend IsOpen = isnull(EndTime)\n\
         | order by IsOpen desc, EndTime desc\n\
         | take {most}\n\
         | project SourceComputerId, Scope, ConfigChangeType, StartTime, EndTime\n",
        from = literal::moment(range.from),
        to = literal::moment(range.to),
    )
}

/// The stretches in the answer, of which `most` were asked for; and before when more may have ended, if so many came.
pub fn read(table: &Table, most: usize) -> Result<(Vec<Stretch>, Option<Timestamp>), ReportError> {
    let stretch = |row: super::table::Row<'_>| {
        let machine = row.text("SourceComputerId")?;
        let to = row.moment("EndTime")?.map_or(FOR_EVER, |end| end.0);
        Ok(Stretch {
            machine: (!machine.is_empty()).then(|| machine.to_owned()),
            extent: Extent::of_columns(row.text("Scope")?, row.text("ConfigChangeType")?),
            range: Range { from: row.time("StartTime")?.0, to },
        })
    };
    let gaps = table.rows().map(stretch).collect::<Result<Vec<_>, ReportError>>()?;
    let is_cut = gaps.len() >= most;
    let unread_before = gaps.last().filter(|_| is_cut).map(|last| last.range.to);
    Ok((gaps, unread_before))
}

/// When somebody was told to look: monitoring was on, and any rule was in force. Both are given as each time that it came
/// to be so or ended, in order; neither is so before the first.
pub fn monitored(
    fim: impl IntoIterator<Item = (Timestamp, bool)>,
    rules: impl IntoIterator<Item = (Timestamp, bool)>,
) -> Vec<Range> {
    let in_force = lasted(rules);
    lasted(fim)
        .into_iter()
        .flat_map(|on| in_force.iter().filter_map(move |rules| overlap(on, *rules)))
        .collect()
}

/// The stretches between being switched on and off.
fn lasted(switches: impl IntoIterator<Item = (Timestamp, bool)>) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut since = None;
    for (at, is_on) in switches {
        match (since, is_on) {
            (None, true) => since = Some(at),
            (Some(from), false) => {
                ranges.push(Range { from, to: at });
                since = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    ranges.extend(since.map(|from| Range { from, to: FOR_EVER }));
    ranges
}

/// How much of `range` was watched up to `now`; `None` if it has not come yet.
///
/// Nothing was watched where no machine was enrolled, where monitoring was off or no rule in force, and where a gap of
/// everything covers each machine. A part was where that is so of some of it, and where a gap of more than a place touches
/// the range. Where only gaps of places do, most was: a file that can never be read must not make every moment look as if
/// nobody had been there.
pub fn watched(range: Range, watching: &Watching, now: Timestamp) -> Option<Watched> {
    let range = overlap(range, Range { from: range.from, to: now })?;
    let gaps: Vec<&Stretch> = watching.gaps.iter().filter(|gap| touches(gap.range, range)).collect();
    let mut blind: HashMap<Option<&str>, Vec<Range>> = HashMap::new();
    for gap in gaps.iter().filter(|gap| gap.extent == Extent::Everything) {
        blind.entry(gap.machine.as_deref()).or_default().push(gap.range);
    }
    let (mut attended, mut seeing) = (Vec::new(), Vec::new());
    for (machine, enrolled) in &watching.machines {
        let Some(enrolled) = overlap(*enrolled, range) else { continue };
        let here: Vec<Range> = watching.monitored.iter().filter_map(|on| overlap(*on, enrolled)).collect();
        let own = blind.get(&Some(machine.as_str())).into_iter().flatten();
        let of_all = blind.get(&None).into_iter().flatten();
        seeing.extend(without(here.clone(), own.chain(of_all).copied()));
        attended.extend(here);
    }
    let is_unread = watching.unread_before.is_some_and(|before| range.from < before);
    Some(if seeing.is_empty() {
        Watched::Nothing
    } else if is_unread
        || gaps.iter().any(|gap| gap.extent != Extent::Place)
        || !without(vec![range], attended).is_empty()
    {
        Watched::Part
    } else if !gaps.is_empty() {
        Watched::Most
    } else {
        Watched::All
    })
}

/// True if a gap has a moment in the range: one that begins and ends at once has one.
fn touches(gap: Range, range: Range) -> bool {
    gap.from < range.to && gap.to >= range.from
}

fn overlap(a: Range, b: Range) -> Option<Range> {
    let (from, to) = (a.from.max(b.from), a.to.min(b.to));
    (from < to).then_some(Range { from, to })
}

/// What is left of `ranges` once each of `holes` is cut out of them.
fn without(ranges: Vec<Range>, holes: impl IntoIterator<Item = Range>) -> Vec<Range> {
    let mut holes: Vec<Range> = holes.into_iter().collect();
    // In their order one pass is enough: a machine may have thousands.
    holes.sort_unstable_by_key(|hole| hole.from);
    let left = |range: Range| {
        let mut parts = Vec::new();
        let mut from = range.from;
        for hole in holes.iter().take_while(|hole| hole.from < range.to) {
            if hole.from > from {
                parts.push(Range { from, to: hole.from });
            }
            from = from.max(hole.to);
        }
        if from < range.to {
            parts.push(Range { from, to: range.to });
        }
        parts
    };
    ranges.into_iter().flat_map(left).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Range = Range { from: Timestamp(100), to: Timestamp(200) };
    const LATER: Timestamp = Timestamp(1000);

    fn span(from: i64, to: i64) -> Range {
        Range { from: Timestamp(from), to: Timestamp(to) }
    }

    fn since(from: i64) -> Range {
        Range { from: Timestamp(from), to: FOR_EVER }
    }

    fn gap(machine: &str, range: Range) -> Stretch {
        let machine = (machine != "*").then(|| machine.to_owned());
        Stretch { machine, extent: Extent::Everything, range }
    }

    fn place_gap(machine: &str, range: Range) -> Stretch {
        Stretch { extent: Extent::Place, ..gap(machine, range) }
    }

    fn list_gap(machine: &str, range: Range) -> Stretch {
        Stretch { extent: Extent::Large, ..gap(machine, range) }
    }

    /// A workspace that is monitored from the beginning, with the machines' times of enrolment.
    fn workspace(machines: &[(&str, Range)], gaps: Vec<Stretch>) -> Watching {
        let machines = machines.iter().map(|(id, range)| ((*id).to_owned(), *range)).collect();
        Watching { machines, monitored: vec![since(0)], gaps, unread_before: None }
    }

    fn check(watching: &Watching, expected: Watched) {
        assert_eq!(watched(HOUR, watching, LATER), Some(expected), "{watching:?}");
    }

    #[test]
    fn all_was_watched_by_a_machine_without_a_gap() {
        check(&workspace(&[("a", since(0))], vec![]), Watched::All);
        check(
            &workspace(&[("a", since(100))], vec![gap("a", span(10, 99)), gap("a", span(200, 300))]),
            Watched::All,
        );
    }

    #[test]
    fn nothing_was_watched_before_the_first_machine_was_enrolled() {
        check(&workspace(&[], vec![]), Watched::Nothing);
        check(&workspace(&[("a", since(200))], vec![]), Watched::Nothing);
        check(&workspace(&[("a", since(199))], vec![]), Watched::Part);
    }

    #[test]
    fn nothing_was_watched_after_the_last_machine_was_removed() {
        check(&workspace(&[("a", span(0, 100)), ("b", span(0, 50))], vec![]), Watched::Nothing);
        check(&workspace(&[("a", span(0, 150))], vec![]), Watched::Part);
        check(&workspace(&[("a", span(0, 150)), ("b", since(150))], vec![]), Watched::All);
    }

    #[test]
    fn a_machine_that_joins_others_leaves_no_hole() {
        check(&workspace(&[("a", since(0)), ("b", since(150))], vec![]), Watched::All);
    }

    #[test]
    fn nothing_was_watched_while_monitoring_was_off() {
        let mut watching = workspace(&[("a", since(0))], vec![]);
        let rules = [(Timestamp(0), true)];
        watching.monitored = monitored([(Timestamp(10), true), (Timestamp(100), false)], rules);
        check(&watching, Watched::Nothing);
        watching.monitored =
            monitored([(Timestamp(10), true), (Timestamp(120), false), (Timestamp(130), true)], rules);
        check(&watching, Watched::Part);
        watching.monitored = monitored([(Timestamp(10), true), (Timestamp(50), true)], rules);
        check(&watching, Watched::All);
    }

    #[test]
    fn nothing_was_watched_while_no_rule_was_in_force() {
        let mut watching = workspace(&[("a", since(0))], vec![]);
        let fim = [(Timestamp(10), true)];
        watching.monitored = monitored(fim, []);
        check(&watching, Watched::Nothing);
        watching.monitored = monitored(fim, [(Timestamp(5), true), (Timestamp(100), false)]);
        check(&watching, Watched::Nothing);
        watching.monitored =
            monitored(fim, [(Timestamp(5), true), (Timestamp(120), false), (Timestamp(130), true)]);
        check(&watching, Watched::Part);
        watching.monitored = monitored(fim, [(Timestamp(100), true), (Timestamp(200), false)]);
        check(&watching, Watched::All);
    }

    #[test]
    fn a_gap_of_everything_leaves_nothing_only_where_it_is_of_every_machine() {
        let both = [("a", since(0)), ("b", since(0))];
        check(&workspace(&both, vec![gap("a", since(90))]), Watched::Part);
        check(&workspace(&both, vec![gap("a", since(90)), gap("b", span(0, 200))]), Watched::Nothing);
        check(&workspace(&both, vec![gap("*", span(100, 200))]), Watched::Nothing);
        check(&workspace(&both, vec![gap("a", since(90)), gap("b", span(0, 199))]), Watched::Part);
    }

    #[test]
    fn a_gap_of_places_leaves_most_and_one_of_a_list_a_part() {
        let of = |gaps| workspace(&[("a", since(0))], gaps);
        check(&of(vec![place_gap("a", since(0)), place_gap("a", span(120, 130))]), Watched::Most);
        check(&of(vec![list_gap("a", since(150))]), Watched::Part);
        check(&of(vec![place_gap("a", since(0)), list_gap("a", since(150))]), Watched::Part);
        check(&of(vec![place_gap("a", since(0)), gap("a", span(100, 200))]), Watched::Nothing);
    }

    #[test]
    fn the_columns_of_a_gap_tell_how_much_it_is_about() {
        let extents = [
            ("*", "*", Extent::Everything),
            ("*", "Daemons", Extent::Large),
            ("dpkg", "Software", Extent::Large),
            ("*", "Files", Extent::Large),
            ("/", "Files", Extent::Large),
            ("/etc/shadow", "Files", Extent::Place),
            ("/etc", "Files", Extent::Place),
            ("HKEY_LOCAL_MACHINE\\SOFTWARE\\a", "Registry", Extent::Place),
        ];
        for (scope, change_type, expected) in extents {
            assert_eq!(Extent::of_columns(scope, change_type), expected, "{scope} {change_type}");
        }
    }

    #[test]
    fn a_machine_alone_has_its_own_gaps_and_those_of_all() {
        let both = [("a", since(0)), ("b", span(0, 150))];
        let all = workspace(&both, vec![gap("a", span(100, 200)), place_gap("*", span(100, 110))]);
        let alone = all.by_machine();
        assert_eq!(watched(HOUR, &alone["a"], LATER), Some(Watched::Nothing));
        assert_eq!(watched(HOUR, &alone["b"], LATER), Some(Watched::Part));
        let first = span(100, 140);
        assert_eq!(watched(first, &alone["b"], LATER), Some(Watched::Most));
        assert_eq!(alone.len(), 2);
    }

    #[test]
    fn a_gap_that_begins_and_ends_at_once_is_one_too() {
        check(&workspace(&[("a", since(0))], vec![gap("a", span(150, 150))]), Watched::Part);
    }

    #[test]
    fn where_gaps_were_left_unread_nobody_says_that_all_was_watched() {
        let mut watching = workspace(&[("a", since(0))], vec![]);
        watching.unread_before = Some(Timestamp(101));
        check(&watching, Watched::Part);
        watching.unread_before = Some(Timestamp(100));
        check(&watching, Watched::All);
    }

    #[test]
    fn what_has_not_come_is_not_known() {
        let watching = workspace(&[("a", since(0))], vec![]);
        assert_eq!(watched(HOUR, &watching, Timestamp(100)), None);
        assert_eq!(
            watched(HOUR, &workspace(&[("a", span(0, 150))], vec![]), Timestamp(150)),
            Some(Watched::All)
        );
    }

    fn ranges() -> impl Strategy<Value = Range> {
        (0..30_i64, 0..12_i64).prop_map(|(from, length)| span(from, from + length))
    }

    fn stretches() -> impl Strategy<Value = Stretch> {
        let machine = prop::sample::select(vec![Some("a".to_owned()), Some("b".to_owned()), None]);
        let extent = prop::sample::select(vec![Extent::Everything, Extent::Large, Extent::Place]);
        (machine, extent, ranges()).prop_map(|(machine, extent, range)| Stretch { machine, extent, range })
    }

    proptest! {
        /// The same, said moment by moment.
        #[test]
        fn each_moment_of_a_range_counts(
            a in ranges(),
            b in ranges(),
            on in ranges(),
            gaps in prop::collection::vec(stretches(), 0..4),
            range in ranges().prop_filter("not empty", |range| range.from < range.to),
        ) {
            let watching = Watching { monitored: vec![on], ..workspace(&[("a", a), ("b", b)], gaps.clone()) };
            let has = |range: &Range, moment: i64| range.from.0 <= moment && moment < range.to.0;
            let attends = |id: &str, moment: i64| has(if id == "a" { &a } else { &b }, moment) && has(&on, moment);
            let is_blind = |id: &str, moment: i64| gaps.iter().any(|gap| {
                gap.extent == Extent::Everything && gap.machine.as_deref().is_none_or(|one| one == id) && has(&gap.range, moment)
            });
            let mut moments = range.from.0..range.to.0;
            let sees = |moment: i64| ["a", "b"].iter().any(|id| attends(id, moment) && !is_blind(id, moment));
            let is_attended = |moment: i64| ["a", "b"].iter().any(|id| attends(id, moment));
            let touching: Vec<&Stretch> = gaps.iter().filter(|gap| touches(gap.range, range)).collect();
            let expected = if !moments.clone().any(sees) {
                Watched::Nothing
            } else if !moments.all(is_attended) || touching.iter().any(|gap| gap.extent != Extent::Place) {
                Watched::Part
            } else if touching.is_empty() {
                Watched::All
            } else {
                Watched::Most
            };
            prop_assert_eq!(watched(range, &watching, LATER), Some(expected));
        }
    }
}
