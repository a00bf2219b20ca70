//! The imports between files of `src`: every `use` and every written path, followed through re-exports to the
//! file that defines the name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// One import: a name that `from` takes from `to`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// Below src, with slashes.
    pub from: String,
    pub line: usize,
    pub to: String,
    /// The name, as it is written.
    pub name: String,
}

/// A module: the file it stands in, what it defines, and what it hands on (to its children, where the `use`
/// is private).
#[derive(Default)]
struct Module {
    file: String,
    defines: BTreeSet<String>,
    hands_on: BTreeMap<String, Vec<String>>,
    /// Modules whose every name it hands on.
    globs: Vec<Vec<String>>,
}

/// A path that a file writes, as a path from the root of the crate.
struct Written {
    module: Vec<String>,
    line: usize,
    path: Vec<String>,
    is_glob: bool,
}

#[derive(Default)]
struct Tree {
    modules: HashMap<Vec<String>, Module>,
    written: Vec<Written>,
}

/// Every import of the sources below `root`; tests inside them are left out.
pub fn imports(root: &Path, files: &[PathBuf]) -> Vec<Import> {
    let mut tree = Tree::default();
    for file in files {
        let name = file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(file).unwrap();
        let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let module = module_of(&name);
        let mut reader = Reader { tree: &mut tree, file: name, scopes: vec![(module.clone(), HashMap::new())] };
        reader.items(&module, &parsed.items);
    }
    let mut found = BTreeSet::new();
    for written in &tree.written {
        let from = &tree.modules[&written.module].file;
        let at = if written.is_glob { tree.module(&written.path) } else { tree.file_of(&written.path, 0) };
        if let Some(to) = at.filter(|to| to != from) {
            let name = written.path.join("::");
            found.insert(Import { from: from.clone(), line: written.line, to, name });
        }
    }
    found.into_iter().collect()
}

fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if matches!(path, "lib" | "main") { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

impl Tree {
    fn module(&self, path: &[String]) -> Option<String> {
        self.modules.get(path).map(|m| m.file.clone())
    }

    /// The file that defines the first name of a path that is no module.
    fn file_of(&self, path: &[String], depth: usize) -> Option<String> {
        let mut at = Vec::new();
        for (n, name) in path.iter().enumerate() {
            let module = self.modules.get(&at)?;
            at.push(name.clone());
            if self.modules.contains_key(&at) {
                continue;
            }
            if module.defines.contains(name) {
                return Some(module.file.clone());
            }
            if depth > 8 {
                return None;
            }
            let rest = &path[n + 1..];
            if let Some(target) = module.hands_on.get(name) {
                return self.file_of(&[target.as_slice(), rest].concat(), depth + 1);
            }
            return module.globs.iter().find_map(|glob| {
                self.file_of(&[glob.as_slice(), std::slice::from_ref(name), rest].concat(), depth + 1)
            });
        }
        None
    }
}

/// The names that `use` lines bring in, each with the path it stands for.
type Names = HashMap<String, Vec<String>>;

/// Reads one file. The names that a module's `use` lines bring in are kept, since paths begin with them.
struct Reader<'t> {
    tree: &'t mut Tree,
    file: String,
    scopes: Vec<(Vec<String>, Names)>,
}

impl Reader<'_> {
    fn items(&mut self, module: &[String], items: &[syn::Item]) {
        let mut own = Module { file: self.file.clone(), ..Module::default() };
        for item in items {
            own.defines.extend(defined(item));
        }
        self.tree.modules.insert(module.to_vec(), own);
        // Names first: a path may stand above the `use` that explains it.
        let mut uses = Uses::default();
        items.iter().for_each(|item| uses.visit_item(item));
        for (tree, line) in uses.0 {
            self.used(&tree, Vec::new(), line);
        }
        items.iter().for_each(|item| self.visit_item(item));
    }

    fn here(&self) -> &Vec<String> {
        &self.scopes[self.scopes.len() - 1].0
    }

    /// A `use`, branch by branch.
    fn used(&mut self, tree: &syn::UseTree, mut before: Vec<String>, line: usize) {
        let (name, bound) = match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                return self.used(&path.tree, before, line);
            }
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.used(tree, before.clone(), line));
            }
            syn::UseTree::Glob(_) => {
                let Some(path) = self.absolute(&before) else { return };
                let module = self.here().clone();
                if let Some(own) = self.tree.modules.get_mut(&module) {
                    own.globs.push(path.clone());
                }
                return self.tree.written.push(Written { module, line, path, is_glob: true });
            }
            syn::UseTree::Name(name) => (name.ident.to_string(), name.ident.to_string()),
            syn::UseTree::Rename(renamed) => (renamed.ident.to_string(), renamed.rename.to_string()),
        };
        let bound = if name == "self" { before.last().cloned().unwrap_or_default() } else { bound };
        if name != "self" {
            before.push(name);
        }
        let Some(path) = self.absolute(&before) else { return };
        let module = self.here().clone();
        if let Some(own) = self.tree.modules.get_mut(&module) {
            own.hands_on.insert(bound.clone(), path.clone());
        }
        if let Some((_, names)) = self.scopes.last_mut() {
            names.insert(bound, path.clone());
        }
        self.tree.written.push(Written { module, line, path, is_glob: false });
    }

    /// A path from the root of the crate; `None` for one into another crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let here = self.here();
        let mut at = here.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    at.pop();
                    rest = &rest[1..];
                }
                return Some([at.as_slice(), rest].concat());
            }
            first => {
                if let Some(known) = self.scopes.last().and_then(|(_, names)| names.get(first)) {
                    return Some([known.as_slice(), &path[1..]].concat());
                }
                let own = self.tree.modules.get(here)?;
                let is_child = own.defines.contains(first);
                return is_child.then(|| [here.as_slice(), path].concat());
            }
        }
        Some([at.as_slice(), &rest[1..]].concat())
    }

    fn written(&mut self, path: &[String], line: usize) {
        if path.len() > 1
            && let Some(path) = self.absolute(path)
        {
            let module = self.here().clone();
            self.tree.written.push(Written { module, line, path, is_glob: false });
        }
    }

    /// The paths in what a macro is given.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut line, mut colons) = (Vec::new(), 0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.written(&std::mem::take(&mut path), line);
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.written(&std::mem::take(&mut path), line);
                    colons = 0;
                    self.tokens(group.stream());
                }
                _ => {
                    self.written(&std::mem::take(&mut path), line);
                    colons = 0;
                }
            }
        }
        self.written(&path, line);
    }
}

/// The names that an item gives to its module.
fn defined(item: &syn::Item) -> Vec<String> {
    let ident = match item {
        syn::Item::Const(i) => &i.ident,
        syn::Item::Enum(i) => &i.ident,
        syn::Item::Fn(i) => &i.sig.ident,
        syn::Item::Mod(i) => &i.ident,
        syn::Item::Static(i) => &i.ident,
        syn::Item::Struct(i) => &i.ident,
        syn::Item::Trait(i) => &i.ident,
        syn::Item::Type(i) => &i.ident,
        // A table of rows is declared by a macro: `row! { pub struct Name { … } }`.
        syn::Item::Macro(i) => {
            let mut names: Vec<String> = i.ident.iter().map(ToString::to_string).collect();
            let tokens: Vec<TokenTree> = i.mac.tokens.clone().into_iter().collect();
            for pair in tokens.windows(2) {
                if let [TokenTree::Ident(word), TokenTree::Ident(name)] = pair
                    && ["struct", "enum", "fn", "const", "static"].iter().any(|w| word == w)
                {
                    names.push(name.to_string());
                }
            }
            return names;
        }
        _ => return Vec::new(),
    };
    vec![ident.to_string()]
}

/// Every `use` of a module, those inside its functions included.
#[derive(Default)]
struct Uses(Vec<(syn::UseTree, usize)>);

impl<'a> Visit<'a> for Uses {
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.0.push((item.tree.clone(), item.use_token.span.start().line));
    }
    fn visit_item_mod(&mut self, _: &'a syn::ItemMod) {}
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        let Some((_, items)) = &item.content else { return };
        if item.attrs.iter().any(|a| a.path().is_ident("cfg")) {
            return;
        }
        let mut module = self.here().clone();
        module.push(item.ident.to_string());
        self.scopes.push((module.clone(), HashMap::new()));
        self.items(&module, items);
        self.scopes.pop();
    }
    fn visit_item_use(&mut self, _: &'a syn::ItemUse) {}
    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let line = path.segments.first().map_or(0, |s| s.ident.span().start().line);
        self.written(&names, line);
        visit::visit_path(self, path);
    }
    fn visit_macro(&mut self, mac: &'a syn::Macro) {
        self.visit_path(&mac.path);
        self.tokens(mac.tokens.clone());
    }
}

/// Groups of files that import each other in a circle, the largest first.
pub fn circles(imports: &[Import]) -> Vec<Vec<String>> {
    let mut to: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in imports {
        to.entry(&import.from).or_default().insert(&import.to);
        to.entry(&import.to).or_default();
    }
    let reach: BTreeMap<&str, BTreeSet<&str>> = to
        .keys()
        .map(|start| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![*start]);
            while let Some(file) = next.pop() {
                for other in &to[file] {
                    if seen.insert(*other) {
                        next.push(other);
                    }
                }
            }
            (*start, seen)
        })
        .collect();
    let mut circles = BTreeSet::new();
    for (file, reached) in &reach {
        if reached.contains(file) {
            let circle: Vec<String> =
                reached.iter().filter(|other| reach[**other].contains(file)).map(|o| (*o).to_owned()).collect();
            circles.insert(circle);
        }
    }
    let mut circles: Vec<_> = circles.into_iter().collect();
    circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
    circles
}
