# The live page (train/page/live_page.c) as C strings, with what it shares with reports.
LIVE_PAGE := $(GENERATED)/live_page.inc
LIVE_STYLES := train/report/report.css train/page/live.css
LIVE_SCRIPTS := train/report/charts.js train/report/counting.js $(addprefix train/page/,live_news.js live_judge.js live_view.js live.js)
$(LIVE_PAGE): train/page/live.html $(LIVE_STYLES) $(LIVE_SCRIPTS)
	$(call embed_page,$<,$(LIVE_STYLES),$(LIVE_SCRIPTS))
$(BUILD)/float/train/page/live_page.o: ALL_CFLAGS += -I$(GENERATED)
$(BUILD)/float/train/page/live_page.o: $(LIVE_PAGE)
