//! `mcp-conform schema REVISION`

use mcp_conform_cases::{Revision, schema};

use super::args::SchemaArguments;
use super::exit::Code;
use super::output::{complain, print};

pub(crate) fn main(arguments: &SchemaArguments) -> Code {
    match arguments.revision.parse::<Revision>() {
        Ok(revision) => {
            print(&format!("{:#}\n", schema::document(revision)));
            Code::Conformant
        }
        Err(error) => {
            complain(error);
            Code::Usage
        }
    }
}
