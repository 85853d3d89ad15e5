//! `parlor completions`, as a shell uses it.

use std::process::Command;

#[test]
fn bash_completes_commands_and_flags() {
    let (code, script, _) = super::run(&["completions", "bash"]);
    assert_eq!(code, 0);
    let completed = |words: &str| {
        let ask = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _parlor; echo ${{COMPREPLY[@]}}"
        );
        let output = Command::new("bash").args(["-c", &ask]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(completed("parlor conn"), "connect");
    assert_eq!(completed("parlor --mem"), "--memory");
    assert_eq!(completed("parlor connect --sub"), "--subprotocol");
}

#[test]
fn other_shells_have_theirs_and_a_wrong_one_is_named() {
    for shell in ["zsh", "fish", "nushell"] {
        let (code, script, _) = super::run(&["completions", shell]);
        assert!(code == 0 && script.contains("ping-interval"), "{shell}: {script}");
    }
    let (code, _, err) = super::run(&["completions", "tcsh"]);
    assert!(code == 2 && err.contains("bash, zsh, fish or nushell"), "{err}");
}
