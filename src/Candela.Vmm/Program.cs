Console.Error.WriteLine("candela-vmm has devices, but no VM to put them in yet: see docs/vmm.md");
return 64;
