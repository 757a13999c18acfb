"""The names of the migrations say what Alembic would."""

from alembic.config import Config
from alembic.script import ScriptDirectory

from service.database.migrations.running import MIGRATIONS, newest_revision


def test_the_newest_file_is_the_head_of_the_only_chain() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [newest_revision()]
