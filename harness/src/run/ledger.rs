//! Keeps the books of a run: every planned item gets exactly one verdict.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mcp_conform_cases::case::Script;
use mcp_conform_cases::{Level, Revision};

use super::job::Done;
use super::watching::Seen;
use super::{Context, Stop};
use crate::event::{CaseResult, Evidence, Finish};
use crate::judge::{Breach, Judgement, verdict_for};
use crate::profile;
use crate::redact;
use crate::repro;
use crate::settings::Settings;
use crate::verdict::{Summary, Verdict};

/// The books.
pub(super) struct Ledger {
    context: Arc<Context>,
    results: Vec<Option<CaseResult>>,
    /// What the invariants saw, by item.
    watched: BTreeMap<usize, Watched>,
}

/// What an invariant saw in all sessions so far.
#[derive(Default)]
struct Watched {
    examined: usize,
    broken: usize,
    /// The breach that is shown: of the first session in order, so that the report does not depend on timing. A real
    /// breach goes before mere advice.
    first: Option<Shown>,
}

/// A breach with its evidence, and its place among others: real ones before advice, then by session.
struct Shown {
    rank: (bool, (usize, usize)),
    breach: Breach,
    evidence: Vec<Evidence>,
}

/// Why a MUST is only a warning, for readers who wonder.
fn why_a_warning(basis: &str) -> &'static str {
    match basis {
        "jsonrpc" => "a warning: the rule comes from JSON-RPC 2.0 by reference",
        "implied" | "derived" => "a warning: the rule is implied, not spelled out",
        "own" => "a warning: the rule is our own",
        _ => "a warning: the text leaves room here, or this part of it is a recommendation",
    }
}

/// Takes out what no report may show; a server may have said it.
fn redact(result: &mut CaseResult, settings: &Settings) {
    let texts = [Some(&mut result.message), result.expected.as_mut(), result.got.as_mut()];
    let evidence = result.evidence.iter_mut().map(|evidence| &mut evidence.text);
    redact::hide(settings.http.secrets(), texts.into_iter().flatten().chain(evidence));
}

impl Ledger {
    pub(super) fn new(context: Arc<Context>) -> Ledger {
        let results = vec![None; context.plan.items.len()];
        Ledger { context, results, watched: BTreeMap::new() }
    }

    /// The results of the items that will not run.
    pub(super) fn skipped(&mut self) -> Vec<CaseResult> {
        let context = Arc::clone(&self.context);
        let skips = context
            .plan
            .items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| Some((index, item.skip.as_ref()?)));
        skips.filter_map(|(index, (verdict, why))| self.enter(index, *verdict, why.clone())).collect()
    }

    /// Takes what a job has done; returns the results that are new.
    pub(super) fn take(&mut self, done: Done) -> Vec<CaseResult> {
        match done {
            Done::Judged { item, judgement, evidence, took } => {
                self.judged(item, judgement, evidence, Some(took)).into_iter().collect()
            }
            Done::NotRun { item, why, ours } => {
                let verdict = if ours { Verdict::Error } else { Verdict::Untestable };
                self.enter(item, verdict, why).into_iter().collect()
            }
            Done::Session { ordinal, seen } => {
                self.watched(ordinal, seen);
                Vec::new()
            }
        }
    }

    /// Adds what the invariants saw in a session.
    fn watched(&mut self, ordinal: (usize, usize), seen: Vec<Seen>) {
        for Seen { item, examined, broken, shown } in seen {
            let watched = self.watched.entry(item).or_default();
            watched.examined += examined;
            watched.broken += broken;
            if let Some((breach, evidence)) = shown {
                let rank = (breach.advice, ordinal);
                if watched.first.as_ref().is_none_or(|first| rank < first.rank) {
                    watched.first = Some(Shown { rank, breach, evidence });
                }
            }
        }
    }

    /// Gives every item that has no verdict yet one, now that nothing more will come.
    pub(super) fn close(&mut self, why: Stop) -> Vec<CaseResult> {
        let context = Arc::clone(&self.context);
        let mut new = Vec::new();
        for (index, item) in context.plan.items.iter().enumerate() {
            if self.results.get(index).is_none_or(Option::is_some) {
                continue;
            }
            let is_invariant = context
                .library
                .cases
                .get(item.case)
                .is_some_and(|case| matches!(case.script, Script::Invariant(_)));
            let watched = self.watched.remove(&index).unwrap_or_default();
            let result = match (is_invariant, watched) {
                (true, Watched { first: Some(Shown { mut breach, evidence, .. }), broken, .. }) => {
                    if broken > 1 {
                        breach.message = format!("{} (and {} more like it)", breach.message, broken - 1);
                    }
                    self.judged(index, Judgement::Broken(Box::new(breach)), evidence, None)
                }
                (true, Watched { examined: 1.., .. }) => {
                    self.judged(index, Judgement::Kept, Vec::new(), None)
                }
                (true, _) if why == Stop::No => self.enter(
                    index,
                    Verdict::Untestable,
                    "the server sent nothing that it applies to".to_owned(),
                ),
                _ => match why {
                    Stop::Interrupted => {
                        self.enter(index, Verdict::Untestable, "not run: interrupted".to_owned())
                    }
                    Stop::OutOfTime => {
                        let limit = context.settings.max_time.as_secs_f32();
                        self.enter(
                            index,
                            Verdict::Untestable,
                            format!("not run: the run reached its limit of {limit} s"),
                        )
                    }
                    Stop::No => self.enter(
                        index,
                        Verdict::Error,
                        "mcp-conform lost this item; please report it".to_owned(),
                    ),
                },
            };
            new.extend(result);
        }
        new
    }

    /// The end of the run.
    pub(super) fn finish(self, duration: Duration, why: Stop) -> Finish {
        let results: Vec<CaseResult> = self.results.into_iter().flatten().collect();
        let mut summary = Summary::default();
        for result in &results {
            summary.count(result.verdict);
        }
        Finish {
            results,
            summary,
            duration,
            interrupted: why == Stop::Interrupted,
            cut_short: why == Stop::OutOfTime,
        }
    }

    fn judged(
        &mut self,
        index: usize,
        judgement: Judgement,
        evidence: Vec<Evidence>,
        took: Option<Duration>,
    ) -> Option<CaseResult> {
        let mut result = match judgement {
            Judgement::Kept => self.blank(index, Verdict::Pass)?,
            Judgement::Unseen(why) => CaseResult { message: why, ..self.blank(index, Verdict::Untestable)? },
            Judgement::Broken(breach) => {
                let context = Arc::clone(&self.context);
                let item = context.plan.items.get(index)?;
                let case = context.library.cases.get(item.case)?;
                let requirement = context.library.requirements.get(&case.requirement)?;
                let severity = case.severity.map_or_else(
                    || requirement.severity(item.revision),
                    |cap| cap.min(requirement.severity(item.revision)),
                );
                let mut result = self.blank(index, verdict_for(severity, breach.advice))?;
                if result.verdict == Verdict::Warn && matches!(result.level, Level::Must | Level::MustNot) {
                    let basis = requirement.basis.get(item.revision).map(String::as_str).unwrap_or_default();
                    result.summary = format!("{} ({})", result.summary, why_a_warning(basis));
                }
                result.message = breach.message;
                result.expected = breach.expected;
                result.got = breach.got;
                result.evidence = evidence;
                let during = breach.during.filter(|during| during != profile::CASE && *during != case.id);
                let ids: Vec<&str> = during.as_deref().into_iter().chain([case.id.as_str()]).collect();
                result.reproduce = repro::command(&context.settings, item.revision, item.transport, &ids);
                result
            }
        };
        result.duration_ms = took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        self.set(index, result)
    }

    fn enter(&mut self, index: usize, verdict: Verdict, message: String) -> Option<CaseResult> {
        let mut result = self.blank(index, verdict)?;
        result.message = message;
        self.set(index, result)
    }

    /// Enters a result; the first one stands.
    fn set(&mut self, index: usize, result: CaseResult) -> Option<CaseResult> {
        let slot = self.results.get_mut(index)?;
        if slot.is_some() {
            return None;
        }
        let mut result = result;
        redact(&mut result, &self.context.settings);
        *slot = Some(result.clone());
        Some(result)
    }

    fn blank(&self, index: usize, verdict: Verdict) -> Option<CaseResult> {
        let item = self.context.plan.items.get(index)?;
        let case = self.context.library.cases.get(item.case)?;
        let requirement = self.context.library.requirements.get(&case.requirement)?;
        let level = |revision: Revision| requirement.level(revision).unwrap_or(Level::May);
        Some(CaseResult {
            requirement: requirement.id.clone(),
            case: case.id.clone(),
            level: level(item.revision),
            revision: item.revision,
            transport: item.transport,
            verdict,
            message: String::new(),
            expected: None,
            got: None,
            duration_ms: None,
            evidence: Vec::new(),
            reproduce: String::new(),
            summary: requirement.summary.clone(),
            spec: requirement.url(item.revision),
        })
    }
}
