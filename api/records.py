"""What the database keeps, by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stores.affect import SqlMemberAffect
from stores.allotments import SqlPacing
from stores.attachments import SqlAttachments
from stores.audiences import SqlAudiences
from stores.baskets import SqlBaskets
from stores.brand_kits import SqlBrandKits
from stores.campaign_creatives import SqlCampaignCreatives
from stores.campaign_figures import SqlCampaignFigures
from stores.campaign_plans import SqlCampaignPlans
from stores.campaigns import SqlCampaigns
from stores.catalogue import SqlCatalogue
from stores.consents import SqlConsents
from stores.console import SqlConsole
from stores.conversations import SqlConversations
from stores.creative_drafts import SqlCreativeDrafts, SqlCreativePictures
from stores.creative_placing import SqlPlacer
from stores.creatives import SqlCreativeCampaigns
from stores.database import Database
from stores.decisions import SqlCreatives, SqlDecisions, SqlResponses
from stores.desk import SqlDesk
from stores.display_policies import SqlDisplayPolicies
from stores.events import SqlEvents
from stores.experiment_traffic import SqlExperimentTraffic
from stores.experiments import SqlExperiments
from stores.fairness_reports import SqlFairnessReports
from stores.figures import SqlFigures
from stores.films import SqlFilms
from stores.handoffs import SqlHandoffs
from stores.identifying import SqlIdentifying
from stores.keys import SqlKeys
from stores.kiosks import SqlKioskHealth, SqlKiosks, SqlLinkCodes
from stores.labels import SqlLabels
from stores.ledger import SqlLedger
from stores.member_views import SqlMemberViews
from stores.members import SqlMembers
from stores.merges import SqlMerges
from stores.plays import SqlPlays
from stores.product_pictures import SqlProductPictures
from stores.promotions import SqlPromotions
from stores.purchases import SqlPurchases
from stores.replies import SqlReplies
from stores.segments import SqlSegments
from stores.simulations import SqlSimulations
from stores.staff import SqlStaff
from stores.staff_accounts import SqlStaffAccounts
from stores.staff_passkeys import SqlPasskeys
from stores.staff_sessions import SqlAttempts, SqlCeremonies
from stores.switches import SqlSwitches
from stores.templates import SqlTemplates
from stores.trust_figures import SqlTrustFigures
from stores.tunings import SqlTunings
from stores.variety import SqlVariety
from stores.webhooks import SqlWebhooks
from stores.widget_sessions import SqlWidgetSessions


class Records:
    """The stores: what reads and writes one kind of record each."""

    def __init__(self, db: Database, refused: Callable[[str], None]) -> None:
        """Keep everything in `db`; `refused` is told why money was not reserved."""
        self.catalogue, self.purchases, self.consents = SqlCatalogue(db), SqlPurchases(db), SqlConsents(db)
        self.campaigns, self.decisions = SqlCampaigns(db), SqlDecisions(db)
        self.ledger, self.baskets = SqlLedger(db, refused), SqlBaskets(db)
        self.creatives, self.responses, self.members = SqlCreatives(db), SqlResponses(db), SqlMembers(db)
        self.events, self.conversations, self.kiosks = SqlEvents(db), SqlConversations(db), SqlKiosks(db)
        self.kiosk_health, self.merges, self.identifying = SqlKioskHealth(db), SqlMerges(db), SqlIdentifying(db)
        self.attachments, self.plays = SqlAttachments(db), SqlPlays(db)
        self.switches, self.staff = SqlSwitches(db), SqlStaff(db)
        self.templates, self.link_codes, self.keys = SqlTemplates(db), SqlLinkCodes(db), SqlKeys(db)
        self.campaign_plans, self.simulations = SqlCampaignPlans(db), SqlSimulations(db)
        self.campaign_creatives, self.campaign_figures = SqlCampaignCreatives(db), SqlCampaignFigures(db)
        self.tunings, self.experiment_traffic = SqlTunings(db), SqlExperimentTraffic(db)
        self.experiments, self.promotions = SqlExperiments(db), SqlPromotions(db)
        self.films, self.replies, self.webhooks = SqlFilms(db), SqlReplies(db), SqlWebhooks(db)
        self.creative_pictures, self.creative_drafts = SqlCreativePictures(db), SqlCreativeDrafts(db)
        self.product_pictures = SqlProductPictures(db)
        self.pacing = SqlPacing(db, self.catalogue)
        self.creative_campaigns, self.placer = SqlCreativeCampaigns(db), SqlPlacer(db, np.random.default_rng())
        self.variety, self.brand_kits = SqlVariety(db), SqlBrandKits(db)
        self.fairness_reports, self.trust_figures = SqlFairnessReports(db), SqlTrustFigures(db)
        self.staff_accounts, self.ceremonies, self.attempts = SqlStaffAccounts(db), SqlCeremonies(db), SqlAttempts(db)
        self.passkeys, self.widget_sessions = SqlPasskeys(db), SqlWidgetSessions(db)
        self.display_policies, self.labels = SqlDisplayPolicies(db), SqlLabels(db)
        self.handoffs, self.member_affect, self.desk_records = SqlHandoffs(db), SqlMemberAffect(db), SqlDesk(db)
        self.figures, self.segments, self.console = SqlFigures(db), SqlSegments(db), SqlConsole(db)
        self.audiences, self.member_views = SqlAudiences(db, self.segments.member_ids), SqlMemberViews(db)
