# The page of a report (train/report/report.c) as C strings, one a line.
REPORT_PAGE := $(GENERATED)/report_page.inc
REPORT_SCRIPTS := $(addprefix train/,report/charts.js report/threshold.js report/gallery.js report/training.js \
                    comparison/compare.js report/report.js)
$(REPORT_PAGE): train/report/report.html train/report/report.css $(REPORT_SCRIPTS)
	@mkdir -p $(@D)
	@sed -e '/^@css@/r train/report/report.css' $(REPORT_SCRIPTS:%=-e '/^@js@/r %') -e '/^@[cj]s*s@/d' $< | \
	    sed 's/[\\"?]/\\&/g; s/.*/"&\\n",/' > $@.tmp && mv $@.tmp $@
$(BUILD)/float/train/report/report.o: ALL_CFLAGS += -I$(GENERATED)
$(BUILD)/float/train/report/report.o: $(REPORT_PAGE)
