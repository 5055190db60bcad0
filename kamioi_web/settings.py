"""Every setting: its type, its default and one line of help. They come from the environment or a .env file."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings named KAMIOI_<FIELD>; a bad value stops the start and says which."""

    model_config = SettingsConfigDict(env_prefix="KAMIOI_", env_file=".env", extra="ignore", frozen=True)

    database_url: str = Field(
        "sqlite:///kamioi.db", description="Where the data is: sqlite:///FILE or postgresql://..."
    )
    redis_url: str | None = Field(
        None, description="Redis for the cache that all processes share; without it, a cache each."
    )
    environment: str = Field(
        "development", pattern="^(development|production)$", description="production refuses unsafe settings."
    )
    secret_key: SecretStr | None = Field(
        None, description="Signs forms. Required in production; else made and kept beside the database."
    )
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="Proxies in front whose X-Forwarded-* headers are believed."
    )
    chunk_rows: int = Field(100, ge=10, le=500, description="Rows that one page or one scroll fetches.")
    request_seconds: float = Field(30, gt=0, description="No request takes longer.")
    rows_seconds: float = Field(2, gt=0, description="Limit of one statement that reads rows.")
    widget_seconds: float = Field(1, gt=0, description="Limit of one statement of a summary or a timeline.")
    lock_seconds: float = Field(5, gt=0, description="How long a write waits for another.")
    pool_seconds: float = Field(2, gt=0, description="How long a request waits for a database connection.")
    pool_size: int = Field(8, ge=1, description="Database connections that a process keeps.")
    scan_ms: int = Field(40, ge=1, description="Time that one bounded scan aims at.")
    cache_seconds: float = Field(5, ge=0, description="Age up to which a total is shown without being read again.")
    files: Path | None = Field(None, description="Folder of exports and uploads; beside the database when not set.")
    upload_mb: int = Field(2_000, ge=1, description="Largest file that may be uploaded.")
    map_threshold: float = Field(
        0.90, gt=0, le=1, description="Confidence at which a proposed mapping stands without a person."
    )
    export_days: float = Field(7, gt=0, description="How long the file of an export is kept.")
    undo_days: float = Field(30, gt=0, description="How long a bulk change can be undone.")
    session_idle_hours: float = Field(12, gt=0, description="A session unused for this long ends.")
    session_days: float = Field(7, gt=0, description="A session ends after this in any case.")
    llm_url: str | None = Field(
        None,
        pattern="^(https?://.+)?$",
        description="The OpenAI-compatible endpoint of the model, such as https://HOST/v1; without it there is none.",
    )
    llm_key: SecretStr | None = Field(None, description="The key that the model's endpoint asks for.")
    llm_model: str | None = Field(None, description="The name of the model at that endpoint.")
    llm_seconds: float = Field(20, gt=0, description="No call of the model takes longer in all.")
    llm_batch: int = Field(25, ge=1, le=100, description="Names that one call of the model asks about.")
    llm_parallel: int = Field(4, ge=1, le=64, description="Calls of the model that one worker has under way.")
    llm_answer_tokens: int = Field(4_000, ge=100, description="Tokens that one answer of the model may have.")
    llm_daily_tokens: int = Field(10_000_000, ge=0, description="Tokens that the model may use up in a day (UTC).")
    llm_daily_cents: float = Field(500, ge=0, description="Cents that the model may cost in a day (UTC).")
    llm_cents_in: float = Field(0, ge=0, description="Price of a million tokens that the model reads, in cents.")
    llm_cents_out: float = Field(0, ge=0, description="Price of a million tokens that the model writes, in cents.")

    @property
    def in_production(self) -> bool:
        return self.environment == "production"

    @property
    def files_folder(self) -> Path:
        """Where exports and uploads lie."""
        return self.files or self.database_folder / "files"

    @property
    def database_folder(self) -> Path:
        """Where files that belong to the database live: beside a SQLite file, else the working folder."""
        prefix = "sqlite:///"
        name = self.database_url.removeprefix(prefix) if self.database_url.startswith(prefix) else ""
        return Path(name).resolve().parent if name and name != ":memory:" else Path.cwd()


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
