fn main() -> std::process::ExitCode {
    refdesk::cli::main()
}
