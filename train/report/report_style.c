/* The style sheet of report.html. Light and dark differ only in the variables at its top. */
#include "train/report/report_parts.h"

static const char *const style[] = {
    ":root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--ink:#1b1f24;--soft:#5c6570;--rule:#e3e6ea;"
    "--grid:#eceef1;--good:#2f6fd0;--bad:#d2600f;--s3:#128a7e;--s4:#8a4fd0;--ok:#1c7f45;--shade:#2f6fd014}\n",
    "@media(prefers-color-scheme:dark){:root{--page:#101317;--card:#181c22;--ink:#e7eaee;--soft:#98a2ae;"
    "--rule:#2b313a;--grid:#252b33;--good:#72a7f5;--bad:#f0924a;--s3:#4cc4b4;--s4:#b793f0;--ok:#5cc98a;"
    "--shade:#72a7f51c}}\n",
    "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}\n"
    "main{max-width:1120px;margin:0 auto;padding:32px 20px 64px}\n"
    "h1{font-size:28px;line-height:1.2;margin:0;letter-spacing:-.01em}"
    "h2{font-size:18px;margin:40px 0 12px}h3{font-size:15px;margin:20px 0 2px}\n"
    "p{margin:4px 0 12px}p.after{margin-top:14px}.soft,header p{color:var(--soft)}\n",
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:12px;margin-top:24px}\n"
    ".tile,.card,.plot,.shot{background:var(--card);border:1px solid var(--rule);border-radius:10px}\n"
    ".tile{padding:14px 16px}.tile b{display:block;font-size:26px;line-height:1.25;font-weight:600;"
    "font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:13px}\n"
    ".tile small{font-size:15px;font-weight:500;color:var(--soft)}\n",
    ".card{overflow-x:auto}.card+.card,.card+.plots,.plots+.card{margin-top:12px}table{border-collapse:"
    "collapse;width:100%;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:8px 14px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}\n"
    "th{font-size:13px;font-weight:500;color:var(--soft)}th:first-child,td:first-child{text-align:left}\n"
    "tr:last-child td{border-bottom:0}tr.all td{font-weight:600}\n"
    "td i{display:block;height:3px;margin-top:3px;border-radius:2px;background:var(--grid)}\n"
    "td i u{display:block;height:3px;border-radius:2px;background:var(--good)}\n"
    "table.facts td,table.facts th{text-align:left;white-space:normal;overflow-wrap:anywhere}"
    "table.facts td:first-child{color:var(--soft);white-space:nowrap;width:1%}\n",
    ".plots{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:12px}.plots "
    ".wide{grid-column:1/-1}\n"
    ".plot{margin:0;padding:14px 14px 8px;overflow-x:auto}.wide svg{min-width:640px}.plot "
    "figcaption{font-weight:600}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:2px 16px;min-height:22px;font-size:13px;color:var(--soft)}\n"
    ".key i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;"
    "vertical-align:-1px;background:var(--c)}\n"
    ".s0{--c:var(--soft)}.s1{--c:var(--good)}.s2{--c:var(--bad)}.s3{--c:var(--s3)}.s4{--c:var(--s4)}"
    ".s5{--c:var(--ink)}.key.s0 i{height:0;vertical-align:4px;border-top:2px dashed var(--c);"
    "background:none}\n",
    "svg{display:block;width:100%;height:auto;font:12px system-ui,-apple-system,'Segoe "
    "UI',Roboto,sans-serif}\n"
    ".grid{stroke:var(--grid)}.axis{stroke:var(--soft)}.tick,.label,.note{fill:var(--soft)}.note{fill:var(--"
    "ink)}\n"
    ".line{fill:none;stroke:var(--c);stroke-width:1.8;stroke-linejoin:round}"
    ".line.s0{stroke-dasharray:4 4;stroke-width:1.2}.bar{fill:var(--c)}\n"
    ".point{fill:var(--card);stroke:var(--ink);stroke-width:2}.dot "
    "circle{fill:var(--c);stroke:var(--c);stroke-width:1.5}.dot "
    "line{stroke:var(--c);stroke-width:2;opacity:.55}"
    ".dot.hollow circle{fill:var(--card)}\n"
    ".shade{fill:var(--shade)}.marker{stroke:var(--ink);stroke-dasharray:5 4;stroke-width:1.3}\n",
    ".shots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(290px,100%),1fr));gap:12px}\n"
    ".shot{margin:0;padding:8px;scroll-margin:12px;content-visibility:auto;contain-intrinsic-size:auto 200px}"
    ".bare .shot{contain-intrinsic-size:auto 50px}"
    ".shot.wrong{border-color:var(--bad)}.pair{display:grid;grid-template-columns:1fr 1fr;gap:4px}\n"
    ".pair img{display:block;width:100%;height:auto;aspect-ratio:1;object-fit:contain;background:var(--page);"
    "border-radius:5px}\n"
    ".shot figcaption{display:flex;gap:8px;padding:4px 2px 0;font-size:13px;align-items:baseline}\n"
    ".shot b{font-variant-numeric:tabular-nums}.shot .name{color:var(--soft);overflow:hidden;"
    "text-overflow:ellipsis;white-space:nowrap;flex:1;text-align:right}\n"
    ".shot .close{display:none}.shot:target{grid-column:1/-1}.shot:target .close{display:inline}"
    ".shot:target .pair img{aspect-ratio:auto;max-height:80vh}\n",
    ".score{display:block;position:relative;height:3px;margin:6px 2px "
    "0;border-radius:2px;background:var(--grid)}"
    ".score u{display:block;height:3px;border-radius:2px;background:var(--c)}"
    ".score s{position:absolute;top:-2px;width:2px;height:7px;background:var(--ink)}\n"
    ".gallery>input{position:absolute;opacity:0}.gallery>label{display:inline-block;padding:3px "
    "12px;margin:0 4px "
    "4px 0;border:1px solid var(--rule);border-radius:99px;background:var(--card);color:var(--soft);"
    "font-size:13px;cursor:pointer}.gallery>input:checked+label{color:var(--card);background:var(--ink)}"
    ".gallery>input:focus-visible+label{outline:2px solid var(--good)}\n"
    "#show-wrong:checked~.shots .shot:not(.wrong),#show-wrong:checked~h3.right,"
    "#show-bad:checked~.shots .shot.good,#show-good:checked~.shots .shot.bad{display:none}\n"
    "h3 small{color:var(--soft);font-weight:500}a{color:var(--good)}\n"
    ".tag{color:var(--c);font-weight:600;white-space:nowrap}\n"
    ".ramp{display:inline-block;width:120px;height:10px;border-radius:3px;vertical-align:-1px;margin:0 "
    "6px}\n",
    "details{padding:12px 16px}summary{cursor:pointer;font-weight:600}pre{margin:12px 0 0;overflow-x:auto;"
    "font:13px/1.5 ui-monospace,'SF Mono',Menlo,Consolas,monospace}\n"
    ".columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:12px;align-items:"
    "start}\n"
    "@media(max-width:760px){.plots{grid-template-columns:minmax(0,1fr)}}\n"
    "@media print{body{background:#fff}.plot,.shot,.tile{break-inside:avoid}}\n",
};

void ead_report_style(FILE *stream) {
    fputs("<style>\n", stream);
    for (size_t i = 0; i < sizeof style / sizeof *style; i++) fputs(style[i], stream);
    fputs("</style>\n", stream);
}
