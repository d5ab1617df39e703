// The addresses at which App Service signs people in and out.

type Place = Pick<Location, "pathname" | "search" | "hash">;

/** Leads to the sign-in page of Microsoft Entra ID, and from there back to the same place. */
export const signInUrl = ({ pathname, search, hash }: Place): string =>
  `/.auth/login/aad?post_login_redirect_uri=${encodeURIComponent(pathname + search + hash)}`;

export const signOutUrl = "/.auth/logout?post_logout_redirect_uri=%2F";
