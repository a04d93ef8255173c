//! The `wscope` program.

fn main() -> std::process::ExitCode {
    wscope::modes::main()
}
