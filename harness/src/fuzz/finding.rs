//! Findings of a fuzzer, as reports show them.

use mcp_conform_cases::Revision;
use mcp_conform_cases::case::Outcome;
use serde::Serialize;

use super::by_hand;
use super::case_file::{self, CaseHead, Expectation};
use super::endurance;
use super::input::{Claim, Input};
use super::oracle::Oracle;
use super::replay::Confirmed;
use crate::event::{Evidence, Transport};
use crate::redact;
use crate::settings::Settings;

/// A fault that showed itself again on fresh servers.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What noticed it.
    pub oracle: Oracle,
    /// The same for the same fault.
    pub signature: String,
    /// The requirement that is broken.
    pub requirement: String,
    /// The revision that was spoken.
    pub revision: Revision,
    /// The transport.
    pub transport: Transport,
    /// One sentence.
    pub message: String,
    /// What brought it about, as the steps of a case.
    pub input: String,
    /// The smallest input that does.
    pub minimized: String,
    /// On how many fresh servers it showed itself again, `k of n`.
    pub reproduced: String,
    /// Where the case file was saved; nothing if none was.
    pub case_file: Option<String>,
    /// A command line that shows it again.
    pub reproduce: String,
    /// Commands of a shell that show it without us; nothing where it takes more than a few lines.
    pub reproduce_shell: Option<String>,
    /// The frames that prove it.
    pub evidence: Vec<Evidence>,
    /// The text of the case file.
    #[serde(skip)]
    pub case_text: String,
    /// The id of the case in it.
    #[serde(skip)]
    pub case_id: String,
    /// The smallest input, as it is sent.
    #[serde(skip)]
    pub smallest: Input,
}

/// What a reader of a case file should know where the input alone does not show the finding.
const ONCE_SHOWS_NOTHING: &str = " It does not show when the input is sent once, as `mcp-conform -k` does: `mcp-conform replay` knows by the id what it \
     takes.";

impl Finding {
    /// Says how it is shown again without us, also at the head of the case file.
    pub(super) fn show_by_hand(&mut self, settings: &Settings) {
        if endurance::takes_long(self.oracle, &self.smallest) {
            return;
        }
        self.reproduce_shell = by_hand::shell(&self.smallest, self.revision, self.transport, settings);
        if let Some(commands) = &self.reproduce_shell {
            let lines: String = commands.lines().map(|line| format!("#   {line}\n")).collect();
            self.case_text = format!("# Without mcp-conform:\n{lines}{}", self.case_text);
        }
    }

    /// A confirmed suspect as a finding; where it is saved and how it is repeated is not known yet.
    pub(super) fn new(confirmed: Confirmed, revision: Revision, transport: Transport) -> Finding {
        let Confirmed { suspect, input, minimized, reproduced } = confirmed;
        let case_id = format!("fuzz/{}-{:08x}", suspect.oracle, hash(&suspect.signature));
        let expectation = match (suspect.oracle, suspect.step) {
            (Oracle::NoAnswer, Some(step)) => Expectation::Outcome(step, Outcome::Response),
            _ => Expectation::Alive,
        };
        let head = CaseHead {
            id: case_id.clone(),
            title: suspect.message.clone(),
            requirement: suspect.requirement.clone(),
            revisions: vec![revision],
            transports: vec![transport],
            tools: tools(&minimized),
            note: Some(format!(
                "Found by fuzzing; oracle `{}`, signature `{}`.{}",
                suspect.oracle,
                suspect.signature,
                if endurance::takes_long(suspect.oracle, &minimized) { ONCE_SHOWS_NOTHING } else { "" }
            )),
        };
        Finding {
            oracle: suspect.oracle,
            signature: suspect.signature,
            requirement: suspect.requirement,
            revision,
            transport,
            message: suspect.message,
            case_text: case_file::render(&minimized, &head, &[expectation]),
            input: case_file::steps_text(&input),
            minimized: case_file::steps_text(&minimized),
            reproduced: format!("{} of {}", reproduced.0, reproduced.1),
            case_file: None,
            reproduce: String::new(),
            reproduce_shell: None,
            smallest: minimized,
            evidence: suspect.evidence,
            case_id,
        }
    }
}

impl Finding {
    /// Takes out what no report may show.
    pub(super) fn redact<'s>(&mut self, secrets: impl Iterator<Item = &'s str>) {
        let texts = [
            &mut self.message,
            &mut self.signature,
            &mut self.input,
            &mut self.minimized,
            &mut self.case_text,
        ];
        let texts = texts.into_iter().chain(self.reproduce_shell.as_mut());
        redact::hide(secrets, texts.chain(self.evidence.iter_mut().map(|frame| &mut frame.text)));
    }
}

/// The tools that an input calls with the knowledge of their schemas.
fn tools(input: &Input) -> Vec<String> {
    let mut tools: Vec<String> = input
        .steps
        .iter()
        .filter_map(|step| match &step.claim {
            Claim::Valid { tool } | Claim::Forbidden { tool, .. } | Claim::Bait { tool, .. } => {
                Some(tool.clone())
            }
            Claim::None => None,
        })
        .collect();
    tools.sort();
    tools.dedup();
    tools
}

/// FNV-1a: the same for the same text on every machine and in every version, which is all that a name needs.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
