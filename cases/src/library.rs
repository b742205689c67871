//! The cases and requirements that are built in, and the rules that tie them together.

use std::collections::BTreeSet;

use crate::case::Case;
use crate::requirement::{Catalogue, Requirement};
use crate::revision::{Revision, RevisionSet};
use crate::yaml::{self, YamlError};

const CASES: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/library.rs"));
const REQUIREMENTS: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/requirements.rs"));

/// A file of the library.
struct Embedded {
    /// The path below this crate.
    name: &'static str,
    /// What is written in it.
    text: &'static str,
    /// The same as JSON.
    json: &'static str,
}

/// Cases with the requirements they refer to.
#[derive(Clone, Debug)]
pub struct Library {
    /// The cases, by id.
    pub cases: Vec<Case>,
    /// The requirements, by id.
    pub requirements: Catalogue,
}

impl Library {
    /// Reads the built-in library.
    ///
    /// # Errors
    /// Only when the library itself is broken, which its tests exclude.
    pub fn builtin() -> Result<Library, YamlError> {
        let mut requirements = Catalogue::new();
        for Embedded { name, json, .. } in REQUIREMENTS {
            let broken = |detail: String| YamlError { file: (*name).to_owned(), detail };
            let several: Vec<Requirement> =
                serde_json::from_str(json).map_err(|error| broken(error.to_string()))?;
            for requirement in several {
                let id = requirement.id.clone();
                if requirements.insert(id.clone(), requirement).is_some() {
                    return Err(broken(format!("the requirement `{id}` is there twice")));
                }
            }
        }
        let mut library = Library { cases: Vec::new(), requirements };
        for Embedded { name, json, .. } in CASES {
            let case = library.fitted(name, Case::from_json(name, json)?)?;
            library.cases.push(case);
        }
        library.cases.sort_by(|left, right| left.id.cmp(&right.id));
        Ok(library)
    }

    /// Adds a case file. A case takes the place of an earlier one with the same id.
    ///
    /// # Errors
    /// When the file is no case, its requirement is unknown, or no revision is left for it.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), YamlError> {
        let case = self.fitted(file, Case::read(file, text)?)?;
        self.cases.retain(|other| other.id != case.id);
        self.cases.push(case);
        Ok(())
    }

    /// A case with the revisions and transports that its requirement leaves it.
    fn fitted(&self, file: &str, mut case: Case) -> Result<Case, YamlError> {
        let refuse = |detail: String| YamlError { file: file.to_owned(), detail };
        let Some(requirement) = self.requirements.get(&case.requirement) else {
            let hint = yaml::nearest(&case.requirement, self.requirements.keys().map(String::as_str))
                .map_or_else(String::new, |best| format!("; did you mean `{best}`?"));
            return Err(refuse(format!("unknown requirement `{}`{hint}", case.requirement)));
        };
        let in_force: RevisionSet =
            Revision::ALL.into_iter().filter(|revision| requirement.level(*revision).is_some()).collect();
        case.revisions = case.revisions.intersection(in_force);
        if case.revisions.is_empty() {
            return Err(refuse(format!(
                "`{}` is in force in {in_force} only, so the case never runs",
                case.requirement
            )));
        }
        if case.transports.is_empty() {
            case.transports.clone_from(&requirement.transports);
            // What holds on stdio and on Streamable HTTP has nothing to do with the transport, and servers speak newer
            // revisions over the old HTTP+SSE as well.
            let has = |name: &str| requirement.transports.iter().any(|other| other == name);
            if has("stdio") && has("http") && !has("sse") {
                case.transports.push("sse".to_owned());
            }
        }
        Ok(case)
    }

    /// The text of a built-in case.
    #[must_use]
    pub fn source(&self, id: &str) -> Option<&'static str> {
        let file = format!("library/{id}.yaml");
        CASES.iter().find(|embedded| embedded.name == file).map(|embedded| embedded.text)
    }

    /// Every fault that some case says it catches.
    #[must_use]
    pub fn faults(&self) -> BTreeSet<&str> {
        self.cases.iter().flat_map(|case| case.catches.iter().map(String::as_str)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_sound() {
        let library = Library::builtin().unwrap_or_else(|error| panic!("{error}"));
        for Embedded { name, text, json } in CASES {
            let case = Case::read(name, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(format!("library/{}.yaml", case.id), *name, "the id of a case is its path");
            assert!(!case.catches.is_empty(), "{name}: a case that catches no fault proves nothing");
            let embedded = Case::from_json(name, json).unwrap();
            assert_eq!(format!("{embedded:?}"), format!("{case:?}"), "{name}");
        }
        assert_eq!(library.cases.len(), CASES.len());
        for Embedded { name, text, json } in REQUIREMENTS {
            let written: Vec<Requirement> = yaml::read(name, text).unwrap_or_else(|error| panic!("{error}"));
            let embedded: Vec<Requirement> = serde_json::from_str(json).unwrap();
            assert_eq!(format!("{embedded:?}"), format!("{written:?}"), "{name}");
        }
    }
}
