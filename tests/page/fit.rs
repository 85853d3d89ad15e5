//! On the smallest phone every screen fits: nothing scrolls sideways, no text is cut off, nothing lies over anything else.

use crate::browser::{Chromium, Window};

const WIDTH: u32 = 320;

const MISFITS: &str = r"(() => {
    const found = [];
    // What lies above the rest takes all attention; what is below it may be covered.
    const top = $('[popover]:popover-open') ?? $$('dialog[open]').at(-1) ?? $('.side.open') ?? (shown('#wire') ? $('#wire') : $('#app'));
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) found.push(`the page scrolls sideways: ${root.scrollWidth}`);
    const described = node => `${node.localName}${node.id && '#' + node.id}.${[...node.classList].join('.')} ${node.textContent.slice(0, 60)}`;
    const away = node => node.closest('.visually-hidden, .skip, .tools, pre, svg, [inert]') || !node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    // The part of a box that its scrolling ancestors let be seen.
    const seen = (box, node) => {
        let { left, top, right, bottom } = box;
        for (let at = node; at && at !== document.body; at = at.parentElement) {
            if (getComputedStyle(at).overflow === 'visible') continue;
            const frame = at.getBoundingClientRect();
            [left, top, right, bottom] = [Math.max(left, frame.left), Math.max(top, frame.top), Math.min(right, frame.right), Math.min(bottom, frame.bottom)];
        }
        return { left, top, right, bottom };
    };
    const texts = [];
    for (const node of [top, ...top.querySelectorAll('*')]) {
        if (away(node)) continue;
        const style = getComputedStyle(node);
        const box = node.getBoundingClientRect();
        const there = seen(box, node.parentElement);
        if (there.right > there.left && (there.left < -0.5 || there.right > innerWidth + 0.5)) found.push(`off the screen: ${described(node)}`);
        // An ellipsis is meant, where the whole can be had: in a title, or by opening it.
        const told = style.textOverflow === 'ellipsis' && (node.closest('[title]') || node.closest('button, a')?.matches('[aria-label], [aria-expanded]'));
        const isCut = (overflow, all, room) => all > room + 1 && ['hidden', 'clip'].includes(overflow);
        if (!told && !node.matches('input, textarea, .avatar') && isCut(style.overflowX, node.scrollWidth, node.clientWidth)) found.push(`cut off: ${described(node)}`);
        if (!node.matches('input, textarea, .avatar') && isCut(style.overflowY, node.scrollHeight, node.clientHeight)) found.push(`cut off below: ${described(node)}`);
        if (['auto', 'scroll'].includes(style.overflowX) && node.scrollWidth > node.clientWidth + 1) found.push(`scrolls sideways: ${described(node)}`);
        // A button that something lies over cannot be pressed.
        if (node.matches('button, a, input, select, textarea') && !node.closest('.body')) {
            const part = seen(box, node.parentElement);
            const [x, y] = [(part.left + part.right) / 2, (part.top + part.bottom) / 2];
            const isThere = part.right - part.left > 4 && part.bottom - part.top > 4;
            const above = isThere && document.elementFromPoint(x, y);
            if (above && !node.contains(above) && !above.closest('label')?.contains(node) && !above.closest('.jump, .settings-head')) found.push(`covered: ${described(node)} by ${described(above)}`);
        }
        for (const text of node.childNodes) {
            if (text.nodeType !== 3 || !text.data.trim() || node.closest('.jump, .settings-head') || node.matches('textarea, option')) continue;
            const range = document.createRange();
            range.selectNodeContents(text);
            for (const line of range.getClientRects()) {
                const part = seen(line, node);
                if (part.right - part.left > 3 && part.bottom - part.top > 3) texts.push({ node, ...part });
            }
        }
    }
    texts.forEach((one, at) => texts.slice(at + 1).forEach(other => {
        const [across, down] = [Math.min(one.right, other.right) - Math.max(one.left, other.left), Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top)];
        const apart = one.node !== other.node && !one.node.contains(other.node) && !other.node.contains(one.node);
        if (apart && across > 3 && down > 5 && !$('.settings-head')?.matches('.stuck')) found.push(`one over the other: ${described(one.node)} and ${described(other.node)}`);
    }));
    return [...new Set(found)];
})()";

/// Everything on the screen that does not fit, in words.
pub fn misfits(window: &Window) -> Vec<String> {
    let found = window.ask(MISFITS);
    found.as_array().unwrap().iter().map(|misfit| misfit.as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_does_not_fit_is_found() {
    let Some(chromium) = Chromium::get() else { return };
    let server = crate::common::server();
    let window = chromium.window(server.address);
    window.prefers(false); // what is still appearing is not there yet
    window.resize(WIDTH, 640, true);
    window.wait_for("shown('#welcome')");
    assert_eq!(misfits(&window), [] as [String; 0]);
    for (change, misfit) in [
        ("$('#welcome').style.margin = '0 0 0 -40px'", "off the screen"),
        ("$('#join').style.width = '400px'", "scrolls sideways"),
        ("$('#welcome-title').style.cssText = 'height: 10px; overflow: hidden'", "cut off below"),
        ("$('#welcome-text').style.cssText = 'overflow: hidden; white-space: nowrap'", "cut off"),
        ("$('#welcome-text').style.cssText = 'margin-top: -20px'", "one over the other"),
        ("$('.welcome-mark').style.cssText = 'position: absolute; inset: 0'", "covered"),
    ] {
        window.wait_for("shown('#welcome')");
        window.ask(&format!("void ({change})"));
        let found = misfits(&window);
        assert!(found.iter().any(|one| one.starts_with(misfit)), "{misfit}: {found:?}");
        window.reload();
    }
}
