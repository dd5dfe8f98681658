//! The rules that a sensor works by, and which one an entity is monitored by.

use std::collections::BTreeSet;

use super::compiled::Verdict;
use super::{CompiledRule, InvalidRule, Rule, RuleError, ScanPlan};
use crate::{EntityKey, EntityKind, EntityPath, PathStyle, ResolveError, error_chain};

/// The rules that a sensor works by. The first rule in force that names an entity monitors it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RuleSet {
    style: PathStyle,
    rules: Vec<CompiledRule>,
}

/// A rule that cannot be used on a machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnusableRule {
    /// The rule.
    pub rule: Rule,
    /// Why it cannot be used and what can be done, for a person.
    pub why: String,
}

impl RuleSet {
    /// The rules that can be used on a machine that writes paths in `style` and where `lookup` gives the values of
    /// variables; and those that cannot.
    pub fn usable(
        rules: Vec<Rule>,
        style: PathStyle,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> (Self, Vec<UnusableRule>) {
        let (sifted, refused) = Self::sift(rules, style);
        let (resolved, unresolved) = sifted.resolve(lookup);
        let refused =
            refused.into_iter().map(|(rule, error)| UnusableRule { rule, why: error_chain(&error) });
        let unresolved = unresolved.into_iter().filter_map(|(name, error)| {
            let rule = sifted.rule(&name)?.clone();
            Some(UnusableRule { rule, why: format!("rule `{name}`: {}", error_chain(&error)) })
        });
        let unusable = refused.chain(unresolved).collect();
        (resolved, unusable)
    }

    /// The rules, for a system that writes paths in `style`.
    ///
    /// # Errors
    ///
    /// Fails at the first rule that is not valid or has the name of one before it.
    pub fn new(rules: Vec<Rule>, style: PathStyle) -> Result<Self, RuleError> {
        match Self::sift(rules, style) {
            (set, errors) if errors.is_empty() => Ok(set),
            (set, errors) => errors.into_iter().next().map_or(Ok(set), |(_, error)| Err(error)),
        }
    }

    /// The rules that are valid, and why the others are not: a sensor watches what it can and reports the rest.
    pub fn sift(rules: Vec<Rule>, style: PathStyle) -> (Self, Vec<(Rule, RuleError)>) {
        let mut names = BTreeSet::new();
        let mut set = Self { style, rules: Vec::with_capacity(rules.len()) };
        let mut errors = Vec::new();
        for rule in rules {
            let name = rule.name.clone();
            match CompiledRule::new(rule.clone(), style) {
                Ok(_) if names.contains(&name) => {
                    errors.push((rule, RuleError { rule: name, invalid: InvalidRule::NameTaken }));
                }
                Ok(compiled) => {
                    names.insert(name);
                    set.rules.push(compiled);
                }
                Err(error) => errors.push((rule, error)),
            }
        }
        (set, errors)
    }

    /// The set with its variables replaced, and the rules that cannot be used on this machine because a variable has
    /// no value here. Those stay in the set and name nothing.
    pub fn resolve(&self, lookup: &dyn Fn(&str) -> Option<String>) -> (Self, Vec<(String, ResolveError)>) {
        let mut unresolved = Vec::new();
        let rules = self.rules.iter().map(|rule| match rule.resolve(lookup) {
            Ok(resolved) => resolved,
            Err(error) => {
                unresolved.push((rule.rule.name.clone(), error));
                rule.clone()
            }
        });
        let rules = rules.collect();
        (Self { style: self.style, rules }, unresolved)
    }

    /// The style of the paths that the rules name.
    pub fn style(&self) -> PathStyle {
        self.style
    }

    /// The rules in the order in which they were given.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter().map(|compiled| &compiled.rule)
    }

    /// The rule of that name.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules().find(|rule| rule.name == name)
    }

    /// Where a walk for the rule of that name begins ([`Pattern::root`](crate::Pattern::root)); nothing if it is not in
    /// force or cannot be asked.
    pub fn root(&self, name: &str) -> Option<&EntityPath> {
        self.active().find(|compiled| compiled.rule.name == name).map(|compiled| &compiled.root)
    }

    /// The first rule in force that names the entity, whatever kind of thing it is.
    pub fn rule_for(&self, key: &EntityKey) -> Option<&Rule> {
        self.rule_for_path(key.path(), None)
    }

    /// The first rule in force that names the entity, given what kind of thing it is: rules may mean files only, or
    /// leave links out.
    pub fn rule_for_kind(&self, key: &EntityKey, kind: EntityKind) -> Option<&Rule> {
        self.rule_for_path(key.path(), Some(kind))
    }

    /// Says which rule monitors the entity and how, or why none does.
    pub fn explain(&self, key: &EntityKey) -> Explanation<'_> {
        let mut passed_over = Vec::new();
        for compiled in &self.rules {
            let reason = match compiled.verdict(key.path(), None) {
                Verdict::NotNamed | Verdict::WrongKind => continue,
                Verdict::Named(how) if compiled.rule.enabled => {
                    return Explanation::Watched { rule: &compiled.rule, how };
                }
                Verdict::Named(_) => WhyNot::Disabled,
                Verdict::Excluded(exclusion) => WhyNot::Excluded(exclusion.text().to_owned()),
            };
            passed_over.push((&compiled.rule, reason));
        }
        Explanation::NotWatched(passed_over)
    }

    /// True if some rule is in force and can be asked.
    pub fn names_something(&self) -> bool {
        self.active().next().is_some()
    }

    /// The rules in force that name what no rule in force of `other` is known to name: those with other paths,
    /// exclusions or kinds. Their names and what they compare do not matter.
    pub fn beyond(&self, other: &Self) -> Self {
        let is_known = |rule: &CompiledRule| other.active().any(|known| known.has_scope_of(rule));
        let rules = self.active().filter(|rule| !is_known(rule)).cloned().collect();
        Self { style: self.style, rules }
    }

    /// What a scan by these rules has to look at.
    pub fn scan_plan(&self) -> ScanPlan {
        ScanPlan::new(self)
    }

    /// The rules that are in force and can be asked.
    pub(super) fn active(&self) -> impl Iterator<Item = &CompiledRule> {
        self.rules.iter().filter(|rule| rule.is_active())
    }

    pub(super) fn rule_for_path(&self, path: &EntityPath, kind: Option<EntityKind>) -> Option<&Rule> {
        self.active()
            .find(|rule| matches!(rule.verdict(path, kind), Verdict::Named(_)))
            .map(|rule| &rule.rule)
    }
}

/// How a rule names an entity.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum How {
    /// The pattern matches its path.
    Itself,
    /// It is a direct child of a directory that the pattern matches.
    InFolder,
    /// It is somewhere below a directory that the pattern matches, and the rule is recursive.
    Below,
}

/// Which rule monitors an entity, or why none does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Explanation<'a> {
    /// This rule does.
    Watched {
        /// The first rule in force that names it.
        rule: &'a Rule,
        /// How it names it.
        how: How,
    },
    /// No rule does; these came near. Empty if no rule names the path at all.
    NotWatched(Vec<(&'a Rule, WhyNot)>),
}

/// Why a rule whose path names an entity does not monitor it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WhyNot {
    /// The rule is not in force.
    Disabled,
    /// This exclusion of the rule takes it out.
    Excluded(String),
}
