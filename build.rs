//! What the executable carries, made smaller once, here: the page as it is sent, and the table of letters that look alike.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=www");
    lookalikes::write()?;
    #[cfg(feature = "http")]
    page::pack()?;
    Ok(())
}

#[cfg(feature = "http")]
mod page {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;
    use std::path::{Path, PathBuf};
    use std::{env, fs, io};

    /// Writes the files into `OUT_DIR`, and beside them `page.rs`, which is an array of (name, packed).
    pub fn pack() -> io::Result<()> {
        let (Some(source), Some(target)) = (env::var_os("CARGO_MANIFEST_DIR"), env::var_os("OUT_DIR")) else {
            return Err(io::Error::other("this is run by cargo, which says where everything is"));
        };
        let (source, target) = (Path::new(&source).join("www"), PathBuf::from(target));
        let mut files = Vec::new();
        collect(&source, &mut files)?;
        files.sort();
        let mut list = Vec::new();
        for (number, file) in files.iter().enumerate() {
            let packed = target.join(format!("{number}.gz"));
            fs::write(&packed, packed_form(&fs::read(file)?)?)?;
            list.push(format!("({:?}, include_bytes!({packed:?}) as &[u8])", name(&source, file)));
        }
        fs::write(target.join("page.rs"), format!("[\n{}]", list.join(",\n")))
    }

    fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                collect(&path, files)?;
            } else {
                files.push(path);
            }
        }
        Ok(())
    }

    /// As it is asked for over HTTP, on whatever system this runs.
    fn name(folder: &Path, file: &Path) -> String {
        let inner = file.strip_prefix(folder).unwrap_or(file);
        inner.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
    }

    fn packed_form(plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(plain)?;
        packer.finish()
    }
}

mod lookalikes {
    use std::collections::HashMap;
    use std::fmt::Write;
    use std::path::PathBuf;
    use std::{env, fs, io, iter};
    use unicode_normalization::UnicodeNormalization;
    use unicode_security::skeleton;

    /// Writes `lookalikes.rs`: of each letter that does not stand for itself where its prototype is in one long text, and
    /// the ranges of those that are left out. unicode-security's own table has pointers, and costs 0.3 MB more.
    pub fn write() -> io::Result<()> {
        let (mut letters, mut left_out) = (String::new(), Vec::<(u32, u32)>::new());
        let (mut text, mut places) = (String::new(), HashMap::<String, usize>::new());
        for c in char::MIN..=char::MAX {
            // What falls apart in NFD never comes this far.
            if !iter::once(c).nfd().eq([c]) {
                continue;
            }
            let seen: String = skeleton(c.encode_utf8(&mut [0; 4])).collect();
            if seen.is_empty() {
                match left_out.last_mut() {
                    Some((_, end)) if *end + 1 == c as u32 => *end = c as u32,
                    _ => left_out.push((c as u32, c as u32)),
                }
            } else if !seen.chars().eq([c]) {
                let at = *places.entry(seen.clone()).or_insert_with(|| {
                    text.push_str(&seen);
                    text.len() - seen.len()
                });
                let _ = write!(letters, "({}, {at}, {}),", c as u32, seen.len());
            }
        }
        let target = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo says where this goes"))?;
        fs::write(
            PathBuf::from(target).join("lookalikes.rs"),
            format!(
                "static LETTERS: &[(u32, u16, u8)] = &[{letters}];\n\
                 static TEXT: &str = {text:?};\n\
                 static LEFT_OUT: &[(u32, u32)] = &{left_out:?};\n"
            ),
        )
    }
}
