//! A reader's connection goes back before another one is asked for, or a write.

use super::sources;

/// Calls that take a connection, and arguments that let a verb take one.
const ASKS: [&str; 12] = [
    ".read()",
    ".snapshot()",
    ".write(",
    ".write_on(",
    "ids.next(",
    "ids.run(",
    "engine.one(",
    "engine.slice",
    "engine.preview(",
    "engine.purge(",
    "(core,",
    "(app,",
];

/// The lines that ask for a connection while the function holds one, with the line that took it.
fn held_while_asking<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<(usize, usize)> {
    let (mut found, mut held) = (Vec::new(), Vec::<(&str, usize, usize)>::new());
    for (n, line) in lines.enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        held.retain(|(name, depth, _)| indent >= *depth && !code.contains(&format!("drop({name})")));
        if let Some((_, _, taken)) = held.iter().find(|(name, ..)| !code.contains(&format!("&mut {name}")))
            && ASKS.iter().any(|ask| code.replace('&', "").contains(ask))
        {
            found.push((n + 1, *taken));
        }
        // The head of a match, a branch or a loop holds its connection to the end of the block.
        let is_head = ["match ", "if let ", "while let ", "for "].iter().any(|word| code.contains(word));
        if is_head && code.ends_with('{') && code.contains("read().await?") {
            found.push((n + 1, n + 1));
        }
        let name = code.strip_prefix("let mut ").and_then(|rest| rest.split_once(' ')).map(|(name, _)| name);
        let takes = ["read().await?;", "snapshot().await?;"].iter().any(|end| code.ends_with(end));
        if let Some(name) = name.filter(|_| takes) {
            held.push((name, indent, n + 1));
        }
    }
    found
}

#[test]
fn a_connection_goes_back_before_another_is_asked_for() {
    let found: Vec<String> = sources()
        .iter()
        .filter(|source| !source.path.starts_with("db/"))
        .flat_map(|source| {
            let found = held_while_asking(source.lines.iter().map(String::as_str));
            let path = &source.path;
            found.into_iter().map(move |(line, taken)| format!("src/{path}:{line} (taken in line {taken})"))
        })
        .collect();
    assert!(
        found.is_empty(),
        "these lines hold a connection and ask for another: callers that do so all at once wait for each other, and \
         a trial has one connection in all. Drop the first before:\n{}",
        found.join("\n")
    );
}

#[test]
fn a_held_connection_is_noticed() {
    let held = |text: &str| held_while_asking(text.lines());
    let text =
        "    let mut conn = core.db.read().await?;\n    let a = a(&mut conn).await?;\n    core.write(vec![], a).await";
    assert_eq!(held(text), [(3, 1)]);
    assert_eq!(held(&text.replace("    core.", "    drop(conn);\n    core.")), []);
    assert_eq!(held(&text.replace("    core.write", "}\n    core.write")), []);
    assert_eq!(held("    match a(&mut core.db.read().await?).await? {"), [(1, 1)]);
    assert_eq!(held(&text.replace("core.write(vec![], a)", "verb(&app, a)")), [(3, 1)]);
}
