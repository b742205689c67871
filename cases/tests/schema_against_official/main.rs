//! Our wire schemas give the same verdict as the published ones, on generated messages, bar the listed errata.
//!
//! The published schemas lie beside the repository, not in it. Where they are absent these tests say so and pass.

#[cfg(test)]
mod compare;
#[cfg(test)]
mod errata;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod official;
#[cfg(test)]
mod verdicts;
