"""The page by which a phone comes to trust the local authority, before it does."""

from __future__ import annotations

from html import escape
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.handlers import BaseRouteHandler

from dispatch_core.errors import NotFound
from server.adapters.certificates import Authority, LocalAuthority

FILE = "/ca/heatops-ca.crt"

PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>安装证书 · Install the certificate</title>
<style>
body {{ font: 18px/1.6 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 40rem; margin: 0 auto;
  padding: 1.2rem; color: #14212b; background: #fff }}
h1 {{ font-size: 1.5rem; line-height: 1.3 }} h2 {{ font-size: 1.15rem; margin-top: 2rem }}
a.big {{ display: block; min-height: 56px; line-height: 56px; text-align: center; color: #fff;
  background: #0b5cad; border-radius: 10px; text-decoration: none; font-weight: 600;
  margin: 1rem 0 }}
code {{ font-size: .85rem; overflow-wrap: anywhere }} li {{ margin: .35rem 0 }}
section[lang=en] {{ border-top: 2px solid #cfd8df; margin-top: 2.5rem }}
</style></head><body>
<section><h1>在手机上安装供热指挥证书</h1>
<p>班组应用需要相机和定位，浏览器只在受信任的加密连接上放行。每部手机安装一次。请用系统浏览器打开本页，不要用微信。</p>
<a class="big" href="{file}">1. 下载证书</a>
<p>先核对指纹 (SHA-256)，与调度中心启动时显示的一致才安装：<br><code>{fingerprint}</code></p>
<h2>安卓 (Chrome)</h2><ol>
<li>下载证书。</li>
<li>设置 → 安全 → 更多安全设置 → 加密与凭据 → 安装证书 → CA 证书
（各品牌名称略有不同，可在设置里搜索“证书”）。</li>
<li>选择“仍然安装”，选中下载的 heatops-ca.crt。</li></ol>
<h2>iPhone / iPad (Safari)</h2><ol>
<li>用 Safari 下载，点“允许”。</li>
<li>设置 → 通用 → VPN 与设备管理 → heatops → 安装。</li>
<li>设置 → 通用 → 关于本机 → 证书信任设置 → 打开 heatops。</li></ol>
<h2>Windows</h2><ol>
<li>双击下载的文件 → 安装证书 → 本地计算机。</li>
<li>“将所有的证书都放入下列存储” → 受信任的根证书颁发机构 → 完成。</li>
<li>重新打开浏览器。</li></ol>
<a class="big" href="{crew}">2. 打开班组应用</a></section>
<section lang="en"><h1>Install the certificate on the phone</h1>
<p>The crew's app needs camera and position, which browsers allow on a trusted, encrypted connection
only. Once per phone. Open this page in the system's browser, not inside WeChat.</p>
<a class="big" href="{file}">1. Download the certificate</a>
<p>Compare the fingerprint (SHA-256) with the one that the dispatch centre saw at the start; install
only if they are the same:<br><code>{fingerprint}</code></p>
<h2>Android (Chrome)</h2><ol>
<li>Download the certificate.</li>
<li>Settings → Security → More security settings → Encryption &amp; credentials → Install a
certificate → CA certificate (makers' names differ: search the settings for “certificate”).</li>
<li>“Install anyway”, then choose heatops-ca.crt among the downloads.</li></ol>
<h2>iPhone / iPad (Safari)</h2><ol>
<li>Download it with Safari and tap “Allow”.</li>
<li>Settings → General → VPN &amp; Device Management → heatops → Install.</li>
<li>Settings → General → About → Certificate Trust Settings → turn heatops on.</li></ol>
<h2>Windows</h2><ol>
<li>Double-click the file → Install Certificate → Local Machine.</li>
<li>“Place all certificates in the following store” → Trusted Root Certification Authorities →
Finish.</li>
<li>Open the browser again.</li></ol>
<a class="big" href="{crew}">2. Open the crew's app</a></section>
</body></html>
"""


def create_handlers(local: LocalAuthority | None, port: int) -> list[BaseRouteHandler]:
    """The page and the file, without a session. `local` None: the certificate is of an authority
    that phones know, or there is no TLS; `port`: where the TLS listener is."""

    def authority() -> Authority:
        known = local.authority() if local else None
        if known is None:
            raise NotFound(
                "no_local_authority",
                "This installation has no certificate authority of its own.",
                "Nothing is to be installed: open the crew's app as you were told.",
            )
        return known

    @get("/ca", include_in_schema=False, media_type=MediaType.HTML, sync_to_thread=True)
    def page(request: Request[Any, Any, Any]) -> str:
        fingerprint = authority().fingerprint
        return PAGE.format(file=FILE, fingerprint=fingerprint, crew=escape(_crew_url(request)))

    @get(FILE, include_in_schema=False, sync_to_thread=True)
    def file() -> Response[bytes]:
        headers = {"Content-Disposition": 'attachment; filename="heatops-ca.crt"'}
        return Response(authority().der, media_type="application/x-x509-ca-cert", headers=headers)

    def _crew_url(request: Request[Any, Any, Any]) -> str:
        """Under the name by which the phone has found us."""
        host = request.url.hostname or "localhost"
        return f"https://[{host}]:{port}/crew" if ":" in host else f"https://{host}:{port}/crew"

    return [page, file]
