# The NuGet package: the binding as source, which is compiled with the user's own, and the library of the wheel with what it
# needs. CUDA=0 makes it small.
nuget: $(WHEEL)/libefficientad.so ## build/nuget/*.nupkg: the package for C#
	@rm -rf build/nuget
	@python3 models/csharp/make_nuget.py $(RELEASE) $< build/nuget
.PHONY: nuget
