//! Draws the curves of RESULTS.md: `curves MEASURED FOLDER` reads `sweeps.json` and `soak.json`, where they are, and writes an SVG
//! file for each sweep, CPU time on its left and deliveries on its right, and one for the soak. The axes of a sweep are
//! logarithmic, so that what grows alike rises alike.

use plotters::coord::Shift;
use plotters::coord::combinators::{BindKeyPoints, IntoLogRange};
use plotters::element::DynElement;
use plotters::prelude::*;
use serde_json::Value;
use std::error::Error;
use std::path::Path;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A name, and its points.
type Curve = (String, Vec<(f64, f64)>);

/// Blue, orange and green that those who see colours otherwise can tell apart; the marks differ as well.
const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)];
const GRID: RGBColor = RGBColor(225, 225, 225);
const FONT: &str = "sans-serif";

/// What grows, as its axis names it.
const SWEEPS: [(&str, &str); 3] = [("clients", "clients"), ("payload", "text of a message, bytes"), ("rooms", "rooms")];

/// What is looked at: its field, its title, and its unit.
const FIGURES: [(&str, &str, &str); 2] = [
    ("cpu_ns_per_delivery", "The server's CPU time for a delivery", "ns"),
    ("deliveries_per_second", "Deliveries", "a second"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, measured, folder] = &args[..] else { return Err("curves MEASURED FOLDER".into()) };
    let (measured, folder) = (Path::new(measured), Path::new(folder));
    if let Some(sweeps) = found(&measured.join("sweeps.json"))? {
        draw_sweeps(&sweeps, folder)?;
    }
    if let Some(soak) = found(&measured.join("soak.json"))? {
        draw_soak(&soak, folder)?;
    }
    Ok(())
}

/// What was found, if it was measured.
fn found(file: &Path) -> Result<Option<Value>, Box<dyn Error>> {
    if !file.exists() {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str::<Value>(&std::fs::read_to_string(file)?)?["found"].take()))
}

/// Memory at rest, from round to round, above nothing: what rises can be seen to.
fn draw_soak(soak: &Value, folder: &Path) -> Result<(), Box<dyn Error>> {
    let levels = soak["levels"].as_array().into_iter().flatten();
    let points: Vec<(f64, f64)> =
        levels.filter_map(|level| Some((level["minute"].as_f64()?, level["memory"].as_f64()?))).collect();
    let most = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).fold(1.0, f64::max);
    let file = folder.join("soak.svg");
    let area = SVGBackend::new(&file, (960, 300)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Resident memory at rest", (FONT, 17))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(62)
        .build_cartesian_2d(0.0..most(|point| point.0), 0.0..most(|point| point.1) * 1.25)?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .x_desc("minutes")
        .y_desc("MiB")
        .axis_desc_style((FONT, 14))
        .label_style((FONT, 13))
        .draw()?;
    chart.draw_series(LineSeries::new(points.iter().copied(), COLOURS[0].stroke_width(2)))?;
    area.present()?;
    Ok(())
}

fn draw_sweeps(sweeps: &Value, folder: &Path) -> Result<(), Box<dyn Error>> {
    for (sweep, axis) in SWEEPS {
        let file = folder.join(format!("{sweep}.svg"));
        let area = SVGBackend::new(&file, (960, 420)).into_drawing_area();
        // A card of its own colour, which a page in the dark leaves as it is.
        area.fill(&WHITE)?;
        let (charts, legend) = area.split_vertically(384);
        for (part, figure) in charts.split_evenly((1, 2)).iter().zip(FIGURES) {
            draw(&area, part, axis, figure, &curves(&sweeps[sweep], figure.0))?;
        }
        name(&legend, &curves(&sweeps[sweep], FIGURES[0].0))?;
        area.present()?;
    }
    Ok(())
}

/// The curves of a sweep; what could not be measured has no point.
fn curves(sweep: &Value, figure: &str) -> Vec<Curve> {
    let series = sweep.as_object().into_iter().flatten();
    let point = |point: &Value| Some((point["x"].as_f64()?, point[figure].as_f64().filter(|y| *y > 0.0)?));
    series
        .map(|(name, points)| (name.clone(), points.as_array().into_iter().flatten().filter_map(point).collect()))
        .collect()
}

/// Draws a chart into its part of the whole.
fn draw(
    whole: &Area,
    part: &Area,
    axis: &str,
    (_, title, unit): (&str, &str, &str),
    curves: &[Curve],
) -> Result<(), Box<dyn Error>> {
    let all = |of: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = curves.iter().flat_map(|(_, points)| points).map(of).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (measured, (low, high)) = (all(|point| point.0), bounds(&all(|point| point.0)));
    let xs = (low..high).log_scale().with_key_points(apart(measured));
    let (low, high) = bounds(&all(|point| point.1));
    let ys = (low..high).log_scale().with_key_points(steps(low, high));
    let in_bytes = axis.ends_with("bytes");
    let mut chart = ChartBuilder::on(part)
        .caption(title, (FONT, 17))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(62)
        .build_cartesian_2d(xs, ys)?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .x_desc(axis)
        .y_desc(unit)
        .axis_desc_style((FONT, 14))
        .label_style((FONT, 13))
        .x_label_formatter(&|x| if in_bytes && *x >= 1024.0 { format!("{} Ki", x / 1024.0) } else { short(*x) })
        .y_label_formatter(&|y| short(*y))
        .draw()?;
    for (place, (_, points)) in curves.iter().enumerate() {
        chart.draw_series(LineSeries::new(points.iter().copied(), COLOURS[place % 3].stroke_width(2)))?;
        for point in points {
            whole.draw(&mark(place, chart.plotting_area().map_coordinate(point)))?;
        }
    }
    Ok(())
}

/// A little more than from the least to the most; something, where nothing was measured.
fn bounds(values: &[f64]) -> (f64, f64) {
    match (values.first(), values.last()) {
        (Some(low), Some(high)) => (low / 1.25, high * 1.25),
        _ => (1.0, 10.0),
    }
}

/// What was measured, without what stands too near to the one before to be written beside it.
fn apart(values: Vec<f64>) -> Vec<f64> {
    values.into_iter().fold(Vec::new(), |mut kept, value| {
        if kept.last().is_none_or(|last| value > last * 1.7) {
            kept.push(value);
        }
        kept
    })
}

/// 1, 2 and 5, ten times that, and so on; 1 and 10 alone where it goes far.
fn steps(low: f64, high: f64) -> Vec<f64> {
    let each: &[f64] = if high / low > 500.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let all = decades.flat_map(|decade| each.iter().map(move |step| step * 10f64.powi(decade)));
    all.filter(|value| (low..=high).contains(value)).collect()
}

/// A number in few characters: 250, 16 k, 5 M.
fn short(value: f64) -> String {
    match value {
        1e6.. => format!("{} M", value / 1e6),
        1e4.. => format!("{} k", value / 1e3),
        _ => format!("{value}"),
    }
}

/// Whose curve is whose, in a row below both charts, where no line goes.
fn name(area: &Area, curves: &[Curve]) -> Result<(), Box<dyn Error>> {
    for (place, (name, _)) in curves.iter().enumerate() {
        let (x, y) = (90 + 270 * place as i32, 14);
        area.draw(&PathElement::new([(x, y), (x + 28, y)], COLOURS[place % 3].stroke_width(2)))?;
        area.draw(&mark(place, (x + 14, y)))?;
        area.draw(&Text::new(name.clone(), (x + 36, y - 7), (FONT, 14)))?;
    }
    Ok(())
}

/// A mark of its own for each curve: a circle, a square, a triangle.
fn mark<'a>(place: usize, (x, y): (i32, i32)) -> DynElement<'a, SVGBackend<'a>, (i32, i32)> {
    let style = COLOURS[place % 3].filled();
    match place % 3 {
        0 => Circle::new((x, y), 4, style).into_dyn(),
        1 => Rectangle::new([(x - 4, y - 4), (x + 4, y + 4)], style).into_dyn(),
        _ => Polygon::new([(x, y - 5), (x - 5, y + 4), (x + 5, y + 4)], style).into_dyn(),
    }
}
