"""Kamioi Web: the admin dashboard of Kamioi, over tables of any size."""

from datetime import timedelta

from flask import Blueprint, Flask, Response
from flask_caching import Cache
from flask_compress import Compress
from flask_htmx import HTMX
from werkzeug.middleware.proxy_fix import ProxyFix

from kamioi_web import (
    analytics_page,
    assets,
    audit_page,
    error_pages,
    import_form,
    import_page,
    job_page,
    mapping_page,
    merchant_page,
    overview_page,
    quality_page,
    request_context,
    review_page,
    search_page,
    security,
    sent_forms,
    settings_page,
    transaction_page,
    user_page,
)
from kamioi_web.actions import bulk as bulk_actions
from kamioi_web.actions import counts, deciding_many, exports, login, mapping_runs, preferences, tokens, views
from kamioi_web.actions import imports as import_actions
from kamioi_web.actions import jobs as job_actions
from kamioi_web.actions import quality as quality_actions
from kamioi_web.actions import review as review_actions
from kamioi_web.api import endpoints
from kamioi_web.api import page as api_page
from kamioi_web.auth.guard import protect, public
from kamioi_web.cache import Aggregates
from kamioi_web.db import Database
from kamioi_web.navigation import NAV
from kamioi_web.pages import PAGES
from kamioi_web.settings import Settings
from kamioi_web.settings import settings as settings_of_process
from kamioi_web.uploads import Request

SITES = (
    analytics_page,
    api_page,
    audit_page,
    endpoints,
    import_form,
    import_page,
    job_page,
    mapping_page,
    merchant_page,
    overview_page,
    quality_page,
    review_page,
    search_page,
    settings_page,
    transaction_page,
    user_page,
)
ACTIONS = (
    bulk_actions,
    counts,
    deciding_many,
    exports,
    import_actions,
    job_actions,
    login,
    mapping_runs,
    quality_actions,
    review_actions,
    tokens,
    views,
)


def create_app(settings: Settings | None = None) -> Flask:
    """The dashboard as a WSGI application."""
    settings = settings or settings_of_process()
    app = Flask(__name__)
    app.request_class = Request
    app.json.sort_keys = False  # ty: ignore[missing-attribute] - a figure stands where its meaning puts it
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(days=settings.session_days)
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    app.extensions["settings"] = settings
    app.extensions["database"] = Database(settings)
    app.extensions["aggregates"] = Aggregates(_shared_cache(app, settings), settings.cache_seconds)
    if proxies := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)
    request_context.follow_requests(app)
    security.secure(app, settings)
    protect(app, request_context.shared_connection)
    for module in ACTIONS:
        app.register_blueprint(module.blueprint)
    app.register_blueprint(preferences.make_blueprint({page.name: tuple(page.cells.COLUMNS) for page in PAGES}))
    app.register_blueprint(_pages())
    app.context_processor(request_context.shown_everywhere(NAV))
    app.context_processor(lambda: {"new_key": sent_forms.new_key})
    error_pages.handle_errors(app)
    assets.serve(app)
    HTMX(app)
    app.config |= {"COMPRESS_ALGORITHM": ["br", "gzip"], "COMPRESS_BR_LEVEL": 5}
    Compress(app)
    return app


def _pages() -> Blueprint:
    pages = Blueprint("pages", __name__)
    for page in PAGES:
        page.register(pages)
    for site in SITES:
        site.register(pages)
    pages.add_url_rule("/healthz", view_func=_alive, endpoint="health")
    return pages


@public
def _alive() -> Response:
    return Response("ok\n", mimetype="text/plain")


def _shared_cache(app: Flask, settings: Settings) -> Cache:
    if settings.redis_url is None:
        return Cache(app, config={"CACHE_TYPE": "SimpleCache", "CACHE_THRESHOLD": 1000})
    limits = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}
    return Cache(
        app,
        config={
            "CACHE_TYPE": "RedisCache",
            "CACHE_REDIS_URL": settings.redis_url,
            "CACHE_KEY_PREFIX": "kamioi:",
            "CACHE_OPTIONS": limits,
        },
    )
