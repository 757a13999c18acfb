"""Every table of the service, imported in one place so that the schema is complete."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from service.accounts import tables as accounts
from service.comments import tables as comments
from service.moderation import tables as moderation
from service.modlog import tables as modlog
from service.privacy import tables as privacy
from service.sites import tables as sites
from service.submission import tables as submission

MODULES = (accounts, comments, moderation, modlog, privacy, sites, submission)
METADATA: MetaData = SQLModel.metadata
