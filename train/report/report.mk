# The page of a report (train/report/report.c) as C strings, one a line.
REPORT_PAGE := $(GENERATED)/report_page.inc
$(REPORT_PAGE): train/report/report.html train/report/report.css train/report/charts.js train/report/report.js
	@mkdir -p $(@D)
	@sed -e '/^@css@/r train/report/report.css' -e '/^@js@/r train/report/charts.js' -e '/^@js@/r train/report/report.js' -e '/^@[cj]s*s@/d' $< | \
	    sed 's/[\\"?]/\\&/g; s/.*/"&\\n",/' > $@.tmp && mv $@.tmp $@
$(BUILD)/float/train/report/report.o: ALL_CFLAGS += -I$(GENERATED)
$(BUILD)/float/train/report/report.o: $(REPORT_PAGE)
