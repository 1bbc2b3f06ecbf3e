//! What the compiler says to those who use the attributes in a wrong way.
//!
//! The expected texts hold for the toolchain of the workspace; `TRYBUILD=overwrite` writes them anew.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
