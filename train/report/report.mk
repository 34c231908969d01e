# The page of a report (train/report/report.c) as C strings, one a line.
# $(call embed_page,HTML,STYLES,SCRIPTS): a page with what it needs in the places of @css@ and @js@.
define embed_page
	@mkdir -p $(@D)
	@sed $(2:%=-e '/^@css@/r %') $(3:%=-e '/^@js@/r %') -e '/^@[cj]s*s@/d' $(1) | \
	    sed 's/[\\"?]/\\&/g; s/.*/"&\\n",/' > $@.tmp && mv $@.tmp $@
endef
REPORT_PAGE := $(GENERATED)/report_page.inc
REPORT_SCRIPTS := $(addprefix train/,report/charts.js report/counting.js report/threshold.js report/gallery.js report/training.js \
                    comparison/compare.js report/report.js)
$(REPORT_PAGE): train/report/report.html train/report/report.css $(REPORT_SCRIPTS)
	$(call embed_page,$<,train/report/report.css,$(REPORT_SCRIPTS))
$(BUILD)/float/train/report/report.o: ALL_CFLAGS += -I$(GENERATED)
$(BUILD)/float/train/report/report.o: $(REPORT_PAGE)
