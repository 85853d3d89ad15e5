//! The public API, as it is recorded in `api.txt`: whoever changes it sees it there.

use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::{Attribute, Fields, ImplItem, Item, Type, UseTree, Visibility};

/// To record a change that is meant: `PARLOR_RECORD_API=1 cargo test --test embedding api`.
const RECORD: &str = "PARLOR_RECORD_API";

#[test]
fn the_public_api_is_as_it_is_recorded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recorded = root.join("tests/embedding/api.txt");
    let api = api(&root.join("src"));
    if std::env::var_os(RECORD).is_some() {
        fs::write(&recorded, api.join("\n") + "\n").unwrap();
    }
    let before = fs::read_to_string(&recorded).unwrap_or_default();
    let (before, now): (BTreeSet<&str>, BTreeSet<&str>) =
        (before.lines().collect(), api.iter().map(String::as_str).collect());
    let gone: Vec<_> = before.difference(&now).map(|line| format!("- {line}")).collect();
    let new: Vec<_> = now.difference(&before).map(|line| format!("+ {line}")).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "the public API has changed; if that is meant, record it with {RECORD}=1:\n{}",
        [gone, new].concat().join("\n")
    );
}

/// What a library may do to the process that it lives in: nothing.
#[test]
fn the_library_prints_nothing_takes_no_signal_and_keeps_no_globals() {
    for (path, file) in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        // Of the library only its tests have the fuzz.
        if path == Path::new("main.rs") || path.starts_with("fuzz") {
            continue;
        }
        // Comments and tests are not in it.
        let code = file.items.iter().filter(|item| !text(item).starts_with("#[cfg(test)]"));
        let code: String = code.map(|item| text(item) + "\n").collect();
        for word in
            ["println !", "print !", "eprintln !", "eprint !", "dbg !", "process::exit", "thread_local", "static mut"]
        {
            assert!(!code.contains(word), "{}: {word}", path.display());
        }
        let globals: Vec<&str> = code.lines().filter(|line| line.starts_with("static ")).collect();
        // The page, compiled in, never changes.
        assert!(globals.iter().all(|line| line.starts_with("static WWW: Dir")), "{}: {globals:?}", path.display());
    }
}

/// One line for each thing that a program can name.
fn api(src: &Path) -> Vec<String> {
    let files = files(src);
    let mut lines = BTreeSet::new();
    for (name, module) in exports(&files, Path::new("lib.rs")) {
        let defined = define(&files, &module, &name, &mut lines);
        assert!(defined, "{name} is exported, and not found in {}", module.display());
    }
    lines.into_iter().collect()
}

/// Every source file of the library, parsed, by its path in `src`.
fn files(src: &Path) -> BTreeMap<PathBuf, syn::File> {
    let mut files = BTreeMap::new();
    let mut folders = vec![src.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let inside = path.strip_prefix(src).unwrap().to_owned();
            if path.is_dir() && inside != Path::new("cli") {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                files.insert(inside, syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap());
            }
        }
    }
    files
}

/// What a file exports from its modules: each name, and the file that it comes from.
fn exports(files: &BTreeMap<PathBuf, syn::File>, of: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for item in &files[of].items {
        let Item::Use(import) = item else { continue };
        if let (Visibility::Public(_), UseTree::Path(path)) = (&import.vis, &import.tree) {
            let module = path.ident.to_string();
            let folder = of.parent().unwrap();
            let near = [folder.join(format!("{module}.rs")), folder.join(&module).join("mod.rs")];
            let file = near.into_iter().find(|path| files.contains_key(path)).unwrap();
            let mut names = Vec::new();
            leaves(&path.tree, &mut names);
            found.extend(names.into_iter().map(|name| (name, file.clone())));
        }
    }
    found
}

fn leaves(tree: &UseTree, names: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, names),
        UseTree::Name(name) => names.push(name.ident.to_string()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, names)),
        UseTree::Rename(_) | UseTree::Glob(_) => panic!("not in the public API, please"),
    }
}

/// Writes down a type: what it is, what it implements, what it can do. False: it is not there.
fn define(files: &BTreeMap<PathBuf, syn::File>, file: &Path, name: &str, lines: &mut BTreeSet<String>) -> bool {
    let Some(item) = files[file].items.iter().find(|item| named(item) == name) else {
        // Passed on by a module from one of its own.
        let deeper = exports(files, file).into_iter().find(|(other, _)| other == name);
        return deeper.is_some_and(|(_, deeper)| define(files, &deeper, name, lines));
    };
    describe(item, lines);
    for (place, other) in files {
        // Elsewhere the same name may be another type: there it must be imported, and not defined.
        let same = place == file || (imports(other, name, file) && !other.items.iter().any(|item| named(item) == name));
        let blocks =
            other.items.iter().filter_map(|item| if let Item::Impl(block) = item { Some(block) } else { None });
        for block in blocks.filter(|block| same && is_type(&block.self_ty, name)) {
            implements(block, name, lines);
        }
    }
    true
}

fn named(item: &Item) -> String {
    match item {
        Item::Struct(it) if public(&it.vis) => it.ident.to_string(),
        Item::Enum(it) if public(&it.vis) => it.ident.to_string(),
        Item::Fn(it) if public(&it.vis) => it.sig.ident.to_string(),
        Item::Trait(it) if public(&it.vis) => it.ident.to_string(),
        _ => String::new(),
    }
}

fn imports(file: &syn::File, name: &str, from: &Path) -> bool {
    let module = from.with_extension("").display().to_string().replace("/mod", "").replace('/', "::");
    let imports =
        file.items.iter().filter_map(|item| if let Item::Use(import) = item { Some(text(&import.tree)) } else { None });
    let root = module.split("::").next().unwrap().to_owned();
    imports.into_iter().any(|import| {
        let words: Vec<&str> = import.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        words.contains(&root.as_str()) && words.contains(&name)
    })
}

fn describe(item: &Item, lines: &mut BTreeSet<String>) {
    match item {
        Item::Struct(it) => {
            let head = format!("{}struct {}{}", attributes(&it.attrs), it.ident, text(&it.generics));
            for field in it.fields.iter().filter(|field| public(&field.vis)) {
                let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                lines.insert(format!("struct {}: {name}: {}", it.ident, text(&field.ty)));
            }
            lines.insert(head);
        }
        Item::Enum(it) => {
            lines.insert(format!("{}enum {}{}", attributes(&it.attrs), it.ident, text(&it.generics)));
            for variant in &it.variants {
                let fields =
                    if let Fields::Unit = variant.fields { String::new() } else { text(&bare(&variant.fields)) };
                lines.insert(format!("enum {}: {}{fields}", it.ident, variant.ident));
            }
        }
        Item::Fn(it) => drop(lines.insert(text(&it.sig))),
        Item::Trait(it) => drop(lines.insert(text(it))),
        _ => {}
    }
}

fn implements(block: &syn::ItemImpl, name: &str, lines: &mut BTreeSet<String>) {
    if let Some((_, of, _)) = &block.trait_ {
        let of = text(of);
        // What others cannot name is no part of it.
        if !["Link", "Transport"].contains(&of.as_str()) {
            lines.insert(format!("impl {} for {name}", of.trim_start_matches("std::").trim_start_matches("fmt::")));
        }
        return;
    }
    for item in &block.items {
        if let ImplItem::Fn(method) = item
            && public(&method.vis)
        {
            lines.insert(format!("{name}::{}", text(&method.sig).trim_start_matches("fn ")));
        }
    }
}

/// Fields without what is said of them.
fn bare(fields: &Fields) -> Fields {
    let mut fields = fields.clone();
    fields.iter_mut().for_each(|field| field.attrs.clear());
    fields
}

fn attributes(attributes: &[Attribute]) -> String {
    let kept = attributes
        .iter()
        .filter(|a| ["derive", "non_exhaustive", "must_use"].iter().any(|name| a.path().is_ident(name)));
    kept.map(|attribute| text(attribute) + " ").collect()
}

fn is_type(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

fn public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Tokens as a person would write them, more or less.
fn text(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (apart, together) in [
        (" ,", ","),
        (" :: ", "::"),
        (" : ", ": "),
        ("& ", "&"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        ("-> ", " -> "),
        ("-  >", "->"),
        ("# [", "#["),
        (" ;", ";"),
        (",)", ")"),
        ("[ ", "["),
        (" ]", "]"),
    ] {
        text = text.replace(apart, together);
    }
    text.replace("  ", " ")
}
