// The parts of the administration, by name: for the palette, which does not load them.
import { Boxes, Brush, LayoutDashboard, ScrollText, Users } from 'lucide-react';

export const adminPlaces = [
  { name: '', label: 'Overview', icon: LayoutDashboard },
  { name: 'users', label: 'Users', icon: Users },
  { name: 'workspaces', label: 'All workspaces', icon: Boxes },
  { name: 'cleaning', label: 'Cleaning', icon: Brush },
  { name: 'audit', label: 'Audit', icon: ScrollText },
] as const;

export const adminPath = (name: string) => (name ? `/admin/${name}` : '/admin');
