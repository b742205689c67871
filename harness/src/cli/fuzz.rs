//! Fuzzing a server.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};
use mcp_conform::event::Direction;
use mcp_conform::fuzz::campaign::{self, Budget, FuzzEvent, Guided, GuidedSettings, Outcome, Stats};
use mcp_conform::fuzz::case_file::Saved;
use mcp_conform::fuzz::finding::Finding;
use mcp_conform::fuzz::ground::{FuzzSettings, Introduction};
use mcp_conform::fuzz::guided::{GuidedError, IS_AVAILABLE, Source};
use mcp_conform::fuzz::report::{self, FuzzReport};
use mcp_conform::report::{Progress, Style, file};
use mcp_conform::settings::Settings;
use mcp_conform::target::Way;
use mcp_conform::{repro, text};
use mcp_conform_cases::{Case, Library};
use serde_json::json;

use super::args::{CommonArguments, FuzzArguments, ServerArguments, TIMEOUT};
use super::case_files;
use super::exit::Code;
use super::interrupts::interrupts;
use super::output::{complain, print};
use super::run::refusal;
use super::settings::{self, Refused, What};

/// Where findings are saved when no folder is named.
const CORPUS: &str = "mcp-conform-fuzz";
/// Where the inputs of an engine are kept, in a folder that was named for the corpus.
const GUIDED: &str = "guided";
/// How long an answer may take when nothing else is said: a hang costs as much several times over.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds in which inputs are tried when nothing else is said.
const SECONDS: f64 = 60.0;
/// Servers that run at once when nothing else is said. It decides which inputs are sent, so it is the same everywhere.
const LANES: usize = 2;
/// The longest line of a finding on the terminal, in bytes.
const LONGEST: usize = 300;

/// Fuzzes a server.
pub(crate) fn main(arguments: &FuzzArguments) -> Code {
    let prepared = Library::builtin()
        .map_err(|error| (Code::Internal, format!("the built-in library is broken: {error}")))
        .and_then(|library| Ok((complete(arguments)?, library)));
    let (fuzz, library) = match prepared {
        Ok(prepared) => prepared,
        Err((code, message)) => {
            complain(message);
            return code;
        }
    };
    match tokio::runtime::Builder::new_multi_thread().worker_threads(LANES).enable_all().build() {
        Ok(runtime) => runtime.block_on(carry_out(arguments, &fuzz, &library)),
        Err(error) => {
            complain(format!("no runtime could be started: {error}"));
            Code::Internal
        }
    }
}

fn complete(arguments: &FuzzArguments) -> Result<FuzzSettings, Refused> {
    let mut settings = settings_of(&arguments.common, &arguments.server)?;
    if arguments.common.timeout == TIMEOUT {
        settings.timeout = PATIENCE;
    }
    settings.jobs = arguments.common.jobs.unwrap_or(LANES).clamp(1, 64);
    let seconds = arguments.time.or(arguments.cases.is_none().then_some(SECONDS));
    let time = seconds.map(|seconds| settings::seconds("--time", seconds)).transpose()?;
    if arguments.cases == Some(0) {
        return Err((Code::Usage, "--cases 0: takes a number above 0".to_owned()));
    }
    let guided = guided(arguments, &settings)?;
    let folder = folder(arguments);
    if arguments.corpus.is_some() && folder.exists() && !folder.is_dir() {
        let message = format!("--corpus {}: takes a folder, and this is none", folder.display());
        return Err((Code::Usage, message));
    }
    let corpus = if arguments.corpus.is_some() || folder.is_dir() {
        inputs_of(&folder).map_err(|error| (Code::Usage, error))?
    } else {
        Vec::new()
    };
    Ok(FuzzSettings {
        settings,
        budget: Budget { cases: arguments.cases, time },
        shard: (arguments.shard.index, arguments.shard.count),
        corpus: corpus.into_iter().map(|saved| saved.input).collect(),
        confined: !arguments.no_sandbox,
        guided,
        rate: arguments.rate,
    })
}

/// Whether an engine guides, if there is one, and a server for it.
fn guided(arguments: &FuzzArguments, settings: &Settings) -> Result<Option<GuidedSettings>, Refused> {
    if !arguments.guided {
        return Ok(None);
    }
    if !IS_AVAILABLE {
        return Err((Code::Usage, GuidedError::Unavailable.to_string()));
    }
    if !settings.target.ways.iter().any(|way| matches!(way, Way::Stdio(_))) {
        let message = "--guided drives servers over stdio alone, and this one is reached over HTTP\n  try: the \
                       command that starts it over stdio, if there is one; or leave out --guided";
        return Err((Code::Usage, message.to_owned()));
    }
    let [folder, merged] =
        [&arguments.corpus, &arguments.merge].map(|folder| folder.as_ref().map(|folder| folder.join(GUIDED)));
    let is_unfit = |merge: &&PathBuf| !is_empty(merge) || arguments.corpus.as_ref() == Some(*merge);
    if let Some(merge) = arguments.merge.as_ref().filter(is_unfit) {
        let message =
            format!("--merge {}: takes a new folder, or an empty one, that is not --corpus", merge.display());
        return Err((Code::Usage, message));
    }
    Ok(Some(GuidedSettings { folder, merged }))
}

/// Whether there is nothing in a folder, or no such folder.
fn is_empty(folder: &Path) -> bool {
    match folder.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Settings for a server, or for the bundled one if its name is `reference`.
pub(crate) fn settings_of(common: &CommonArguments, server: &ServerArguments) -> Result<Settings, Refused> {
    let is_reference =
        server.target.len() == 1 && server.target.first().is_some_and(|word| word == "reference");
    let what = if is_reference { What::Reference(&[]) } else { What::Server(server) };
    settings::settings(common, &what)
}

/// A warning where findings could not be saved: after a minute it is late to hear of it.
fn warning_of(folder: &Path) -> Option<String> {
    let there = folder.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."));
    let error = tempfile::tempfile_in(there).err()?;
    Some(format!(
        "  findings cannot be saved to {}: {error}; --corpus DIR names another folder\n",
        folder.display()
    ))
}

fn folder(arguments: &FuzzArguments) -> PathBuf {
    arguments.corpus.clone().unwrap_or_else(|| PathBuf::from(CORPUS))
}

/// The inputs in a file or a folder, with the files that they are in. A folder that is not there is an empty one.
pub(crate) fn inputs_of(path: &Path) -> Result<Vec<Saved>, String> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut inputs = Vec::new();
    for file in case_files::files(path)? {
        let shown = file.display().to_string();
        let text = case_files::read(&file)?;
        let case = Case::read(&shown, &text).map_err(|error| error.to_string())?;
        let saved = Saved::from_case(shown.clone(), &case).ok_or_else(|| {
            format!("{shown}: is no input: only cases that send something once can be tried")
        })?;
        inputs.push(saved);
    }
    Ok(inputs)
}

async fn carry_out(arguments: &FuzzArguments, fuzz: &FuzzSettings, library: &Library) -> Code {
    let interrupts = interrupts();
    let environment = |name: &str| std::env::var(name).ok();
    let is_terminal = io::stderr().is_terminal();
    let width = terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
    let style = Style::detect(arguments.common.color, is_terminal, environment, width);
    let wanted = Progress::is_wanted(is_terminal, environment) && arguments.common.quiet < 2;
    let bar = ProgressBar::with_draw_target(
        None,
        if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
    );
    let say = |text: &str| {
        // A closed terminal is no reason to fail.
        let _ = bar.suspend(|| io::stderr().lock().write_all(text.as_bytes()));
    };
    let folder = folder(arguments);
    let mut trouble = None;
    let mut saved: Vec<(String, String, String)> = Vec::new();
    let quiet = arguments.common.quiet;
    let mut tell = |event: &FuzzEvent| match event {
        FuzzEvent::Started(introduction) => {
            if quiet == 0 {
                say(&introduced(introduction, fuzz));
            }
            if let Some(warning) = warning_of(&folder).filter(|_| quiet < 2) {
                say(&warning);
            }
        }
        FuzzEvent::Found(finding) => {
            let finding = match save(&folder, finding, &fuzz.settings) {
                Ok(finding) => finding,
                Err(error) => {
                    trouble.get_or_insert(error);
                    (**finding).clone()
                }
            };
            if arguments.ndjson {
                line(&json!({ "finding": finding }));
            }
            if quiet < 2 {
                say(&drawn(&finding, style, arguments.common.verbose > 0));
            }
            let file = finding.case_file.unwrap_or_default();
            saved.push((finding.signature, file, finding.reproduce));
        }
        FuzzEvent::Progress(stats) => {
            if arguments.ndjson {
                line(&json!({ "stats": stats }));
            }
            bar.set_message(figures(stats));
            bar.tick();
        }
    };
    let outcome = campaign::run(library, fuzz, interrupts.stopped.clone(), &mut tell).await;
    bar.finish_and_clear();
    let mut outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            complain(&error);
            return refusal(&error, &interrupts);
        }
    };
    for finding in &mut outcome.findings {
        if let Some((_, file, reproduce)) =
            saved.iter().find(|(signature, ..)| *signature == finding.signature)
        {
            finding.case_file = Some(file.clone()).filter(|file| !file.is_empty());
            finding.reproduce.clone_from(reproduce);
        }
    }
    if quiet < 2 {
        let _ = io::stderr().lock().write_all(ended(&outcome, fuzz).as_bytes());
    }
    let mut code = code_of(&outcome, fuzz);
    if outcome.interrupted {
        code = interrupts.code();
    }
    let target = fuzz.settings.target.words.join(" ");
    for to in &arguments.report {
        let report = FuzzReport::new(&outcome, target.clone(), fuzz.settings.seed, code as u8);
        if let Err(error) = report::write(to, &report) {
            complain(error);
            code = Code::Report;
        }
    }
    if let Some(error) = trouble {
        complain(error);
        code = Code::Report;
    }
    code
}

/// How many inputs were wanted, where it came to fewer although there was all the time in the world.
fn too_few(outcome: &Outcome, fuzz: &FuzzSettings) -> Option<u64> {
    let Stats { cases, left_out, .. } = outcome.stats;
    let is_counted = fuzz.budget.time.is_none() && fuzz.guided.is_none() && !outcome.interrupted;
    fuzz.budget.cases.filter(|wanted| is_counted && cases + left_out < *wanted)
}

fn code_of(outcome: &Outcome, fuzz: &FuzzSettings) -> Code {
    if !outcome.findings.is_empty() {
        Code::Findings
    } else if outcome.stats.cases == 0
        || too_few(outcome, fuzz).is_some()
        || outcome.guided.iter().any(|guided| guided.failed.is_some())
    {
        Code::NothingSelected
    } else {
        Code::Conformant
    }
}

fn line(value: &serde_json::Value) {
    print(&format!("{value}\n"));
}

/// Writes the case file of a finding; says where it is and how it is shown again.
fn save(folder: &Path, finding: &Finding, settings: &Settings) -> Result<Finding, String> {
    let name = finding.case_id.trim_start_matches("fuzz/");
    let path = folder.join(format!("{name}.yaml"));
    file::write_whole(&path, finding.case_text.as_bytes()).map_err(|error| error.to_string())?;
    let shown = path.to_string_lossy().into_owned();
    let reproduce = repro::replay(settings, finding.revision, finding.transport, &shown);
    Ok(Finding { case_file: Some(shown), reproduce, ..finding.clone() })
}

fn introduced(introduction: &Introduction, fuzz: &FuzzSettings) -> String {
    let mut out =
        format!("mcp-conform {} fuzz  {}\n", env!("CARGO_PKG_VERSION"), fuzz.settings.target.words.join(" "));
    let places: Vec<String> = introduction
        .places
        .iter()
        .map(|(transport, revision)| format!("{revision} over {}", transport.as_str()))
        .collect();
    let server = &introduction.server;
    let _ = writeln!(
        out,
        "  {} {}  {}",
        text::visible(&server.name),
        text::visible(&server.version),
        places.join(", ")
    );
    let names = |names: &[String]| {
        let shown: Vec<String> = names.iter().map(|name| text::visible(name).into_owned()).collect();
        text::bounded(&shown.join(", "), LONGEST).into_owned()
    };
    if !introduction.called.is_empty() {
        let _ = writeln!(
            out,
            "  calls {}: {}",
            text::count(introduction.called.len(), "tool"),
            names(&introduction.called)
        );
    }
    if !introduction.not_called.is_empty() {
        let _ = writeln!(
            out,
            "  leaves alone {}: {}; to allow it: --call NAME, or --call all unless destructive",
            text::count(introduction.not_called.len(), "tool"),
            names(&introduction.not_called)
        );
    }
    if !introduction.unlisted.is_empty() {
        let _ = writeln!(
            out,
            "  --call names tools that the server does not list: {}",
            names(&introduction.unlisted)
        );
    }
    let sandbox = introduction
        .confinement
        .as_deref()
        .unwrap_or("none: the server may do to this machine what it likes");
    let _ = writeln!(out, "  sandbox: {sandbox}");
    if let Some(source) = introduction.guided {
        out.push_str(&guided_by(source));
    }
    let until = match (fuzz.budget.cases, fuzz.budget.time) {
        (Some(cases), None) => text::count(usize::try_from(cases).unwrap_or(usize::MAX), "input"),
        (Some(cases), Some(time)) => format!("{cases} inputs or {} s", time.as_secs_f32()),
        (None, time) => format!("{} s", time.unwrap_or(Duration::ZERO).as_secs_f32()),
    };
    let is_shared = introduction.lanes > 1 && fuzz.settings.target.has_fixed_port();
    // Without a process to look at there is no growth and no spinning to be seen.
    if is_shared && fuzz.settings.target.commands().next().is_some() {
        out.push_str(
            "  one server for all: growth, spin and slow-regex are looked for with -j 1, or {port} in the address\n",
        );
    }
    let servers = if is_shared { 1 } else { introduction.lanes };
    let _ = writeln!(out, "  {until} on {}, seed {}\n", text::count(servers, "server"), fuzz.settings.seed);
    out
}

/// What guides, and what would guide better.
fn guided_by(source: Source) -> String {
    let mut out = format!("  walks the boundaries, then is guided over stdio by {source}\n");
    if !source.is_coverage() {
        out.push_str(
            "    the server does not report what it executes. Servers in Rust, C and C++ do when they are built with\n    \
             `mcp-conform coverage-build -- cargo build`, or `-- make`; servers in Python do as they are\n",
        );
    }
    out
}

fn drawn(finding: &Finding, style: Style, verbose: bool) -> String {
    let mut out = format!("✗ {}  {}\n", finding.oracle, text::visible(&finding.message));
    let _ = writeln!(
        out,
        "    {} · {} over {} · shown again on {} fresh servers",
        finding.requirement,
        finding.revision,
        finding.transport.as_str(),
        finding.reproduced
    );
    for frame in &finding.evidence {
        let arrow = if frame.direction == Direction::Event { "·" } else { style.arrow(frame.direction) };
        let _ = writeln!(out, "    {arrow} {}", text::bounded(&text::visible(&frame.text), LONGEST));
    }
    let _ = writeln!(out, "    smallest input:");
    for step in finding.minimized.lines() {
        let _ = writeln!(out, "    {}", text::bounded(step, LONGEST));
    }
    if !finding.reproduce.is_empty() {
        let _ = writeln!(out, "    {}", finding.reproduce);
    }
    if let Some(commands) = finding.reproduce_shell.as_ref().filter(|_| verbose) {
        out.push_str("    without mcp-conform:\n");
        for line in commands.lines() {
            let _ = writeln!(out, "      {line}");
        }
    }
    out.push('\n');
    out
}

/// What came of guidance.
fn guidance(guided: &Guided) -> String {
    let Guided { revision, source, figures, failed } = guided;
    let kind = if source.is_coverage() { "places of the server" } else { "traits of answers" };
    let mut out = format!(
        "  guided in {revision}: {} inputs by {source}; {} {kind} reached",
        figures.executions, figures.reached
    );
    if figures.unstable > 0 {
        let _ = write!(out, ", {} not always by the same input", figures.unstable);
    }
    if let Some(why) = failed {
        let _ = write!(out, "; it ended early: {}", text::visible(why));
    }
    out.push('\n');
    out
}

/// Suspects that are no findings, not too many of them.
fn listed(signatures: &[String]) -> String {
    const MOST: usize = 5;
    let mut out = String::new();
    for signature in signatures.iter().take(MOST) {
        let _ = writeln!(out, "    {}", text::bounded(&text::visible(signature), LONGEST));
    }
    if signatures.len() > MOST {
        let _ = writeln!(out, "    and {} more", signatures.len() - MOST);
    }
    out
}

fn figures(stats: &Stats) -> String {
    format!("{} inputs, {} a second", stats.cases, stats.cases_per_second)
}

fn ended(outcome: &Outcome, fuzz: &FuzzSettings) -> String {
    let stats = &outcome.stats;
    let mut out = format!(
        "{} · {} · {:.1} s · seed {}\n",
        text::count(outcome.findings.len(), "finding"),
        figures(stats),
        Duration::from_millis(stats.duration_ms).as_secs_f32(),
        fuzz.settings.seed
    );
    if stats.cases == 0 && outcome.findings.is_empty() && !outcome.interrupted {
        out.push_str(
            "  no input was tried: the server gave no sign of life after the handshake, or there was no time\n  try: \
             mcp-conform without `fuzz`, which says what is wrong\n",
        );
    }
    if let Some(wanted) = too_few(outcome, fuzz).filter(|_| stats.cases > 0) {
        let _ = writeln!(
            out,
            "  {} of {wanted} inputs were tried: the server did not start again, or answered nothing before the next",
            stats.cases
        );
    }
    for guided in &outcome.guided {
        out.push_str(&guidance(guided));
    }
    if stats.left_out > 0 {
        let _ = writeln!(
            out,
            "  {} inputs left out: others like them kept ending the server or took too much of the time",
            stats.left_out
        );
    }
    if !outcome.unconfirmed.is_empty() {
        let count = outcome.unconfirmed.len();
        let _ = writeln!(
            out,
            "  {} did not show again and {} not reported",
            text::count(count, "suspect"),
            if count == 1 { "is" } else { "are" }
        );
        out.push_str(&listed(&outcome.unconfirmed));
    }
    if !outcome.undecided.is_empty() {
        let _ = writeln!(
            out,
            "  {} could not be looked into: no time was left, or no other call of the tool succeeded; a longer --time may help",
            text::count(outcome.undecided.len(), "suspect")
        );
        out.push_str(&listed(&outcome.undecided));
    }
    out
}
